public import Workers
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import ByteSources
public import TensorTypes

/// Deltas on deltas: each Silt file's result is the base of the next.
public struct Chain: Sendable {
    /// Whether an existing output may be replaced.
    public var replaceExisting: Bool
    /// Threads, log, progress and cancellation.
    public var context: WorkContext

    /// A chain.
    public init(_ context: WorkContext, replaceExisting: Bool = false) {
        self.replaceExisting = replaceExisting
        self.context = context
    }

    /// Rebuilds what the last of `files` holds.
    ///
    /// Results in between are written beside the output and removed again, so they take disk space for a while.
    ///
    /// - Parameters:
    ///   - base: the base of the first file.
    ///   - files: Silt files, each of whose results is the next one's base; at least one.
    ///   - output: where the last result appears, whole or not at all.
    /// - Throws: as `Unpacker`; `baseContent` if a link does not fit the one before, before anything is written.
    public func unpack(base: String, files: [String], to output: String) throws(SiltError) -> Unpacker.Report {
        try linked(base: base, files: files, beside: output) { (base, last) throws(SiltError) in
            try Unpacker(context, replaceExisting: replaceExisting).unpack(base: base, file: last, to: output)
        }
    }

    /// Runs `work` with the base of the last file, which exists until it returns.
    package func linked<R>(
        base: String, files: [String], beside output: String, _ work: (String, String) throws(SiltError) -> R
    ) throws(SiltError) -> R {
        guard let last = files.last else { throw SiltError(.usage, "no Silt file was given") }
        try OutputGuard.check(output, files: files, checkpoints: [try Checkpoint.asBase(base)])
        try Chain.check(files)
        guard files.count > 1 else { return try work(base, last) }
        var place: StagedPlace?
        var before = base
        for (index, file) in files.dropLast().enumerated() {
            let next = try StagedPlace(beside: output)
            context.log.debug("link \(index + 1) of \(files.count): \(file)")
            let result = next.path("result")
            _ = try Unpacker(context).unpack(base: before, file: file, to: result)
            before = result
            // The result before this one is not needed any more: `place` was the last to hold it.
            place = next
        }
        defer { withExtendedLifetime(place) {} }
        return try work(before, last)
    }

    /// Every tensor that a link takes from its base must be what the link before gives.
    private static func check(_ files: [String]) throws(SiltError) {
        var results: [ByteName: TensorRecord]?
        var before = ""
        for file in files {
            let manifest = try ContainerReader(file).manifest
            if let results {
                for record in manifest.tensors {
                    guard let base = record.base else { continue }
                    let advice = "give the files in the order in which they were packed"
                    guard let result = results[ByteName(base.name)] else {
                        throw SiltError(
                            .baseMissing, "\(before), the link before it, does not contain this tensor", file: file,
                            tensor: base.name, advice: advice)
                    }
                    guard result.digest.map({ $0 == base.digest && result.info == base.info }) ?? true else {
                        throw SiltError(
                            .baseContent,
                            "\(before), the link before it, has a different tensor from the one that the file needs",
                            file: file, tensor: base.name, advice: advice)
                    }
                }
            }
            results = Dictionary(
                manifest.tensors.map { (ByteName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
            before = file
        }
    }
}
