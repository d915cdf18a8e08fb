package import TensorTypes

/// A JSON file that is read whole, if it is not too large.
package struct JSONFile: Sendable {
    /// Bytes that a `config.json`, an `adapter_config.json` and the like may have.
    package static let configurationLimit = 16 << 20

    /// The text as it stands in the file.
    package let bytes: [UInt8]
    package let value: JSONValue
    /// Whether a byte order mark stands before it, which other readers refuse.
    package var hasByteOrderMark: Bool { bytes.starts(with: ByteOrderMark.bytes) }

    /// Reads the file at `path`, which is called `name` in errors: "the configuration".
    ///
    /// Throws `code` if it has more than `limit` bytes or is not strict JSON; `inputMissing` if there is no such file; `io` or
    /// `changed` if reading fails.
    package init(
        _ path: String, limit: Int = configurationLimit, name: String = "the configuration",
        code: SiltError.Code = .header, advice: String? = nil
    ) throws(SiltError) {
        try self.init(LocalFile(path), limit: limit, name: name, code: code, advice: advice)
    }

    /// Reads a source, likewise.
    package init(
        _ source: any ByteSource, limit: Int = configurationLimit, name: String = "the configuration",
        code: SiltError.Code = .header, advice: String? = nil
    ) throws(SiltError) {
        guard source.size <= limit else {
            throw SiltError(
                code, "\(name) has \(source.size) bytes; at most \(limit) are allowed", file: source.path,
                advice: advice)
        }
        try self.init(bytes: source.bytes(0..<source.size), file: source.path, name: name, code: code, advice: advice)
    }

    /// Parses what `file` has; a byte order mark before it is passed over.
    ///
    /// Throws `code` if it is not strict JSON.
    package init(
        bytes: [UInt8], file: String, name: String = "the configuration", code: SiltError.Code = .header,
        advice: String? = nil
    ) throws(SiltError) {
        self.bytes = bytes
        let text = ByteOrderMark.dropped(from: bytes)
        do throws(JSONError) {
            value = try JSONValue(parsing: text)
        } catch {
            if let found = ForeignContent(start: bytes, size: bytes.count, tellsPlainText: false) {
                throw SiltError(code, "\(name) should be JSON, found \(found.what)", file: file, advice: found.advice)
            }
            let place = UInt64(bytes.count - text.count + min(error.offset, max(0, text.count - 1)))
            throw SiltError(
                code, "\(name) is not strict JSON: \(error.reason)", file: file, range: place..<place + 1,
                advice: advice)
        }
    }
}
