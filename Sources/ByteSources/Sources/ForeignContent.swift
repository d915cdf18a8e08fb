package import TensorTypes

/// What a file is by its first bytes, where another kind of file was expected.
///
/// Only a guess, for messages: it is asked for once reading has failed, and decides nothing.
package struct ForeignContent: Sendable, Hashable {
    /// Ends the sentence "expected this, found ...".
    package let what: String
    /// What to do about it.
    package let advice: String

    /// Bytes that are looked at.
    private static let window = 4_096

    init(_ what: String, _ advice: String) { (self.what, self.advice) = (what, advice) }

    /// Looks at the start of a source; nil if it is nothing that is known, or cannot be read.
    package init?(of source: any ByteSource) {
        guard let start = try? source.bytes(0..<min(source.size, ForeignContent.window)) else { return nil }
        self.init(start: start, size: source.size)
    }

    /// What a file of `size` bytes is that begins with `start`.
    ///
    /// - Parameter tellsPlainText: whether text is something that is known, or what may have been expected.
    package init?(start: [UInt8], size: Int, tellsPlainText: Bool = true) {
        let start = Array(start.prefix(ForeignContent.window))
        let found =
            ForeignContent.blank(start, size) ?? ForeignContent.signed(start) ?? ForeignContent.serialized(start)
            ?? ForeignContent.text(start, size, tellsPlainText)
        guard let found else { return nil }
        self = found
    }

    /// `error` in the words of what `source` is instead of `expected`; as it is if that is not known.
    package static func explain(_ error: SiltError, _ source: any ByteSource, expected: String) -> SiltError {
        guard let found = ForeignContent(of: source) else { return error }
        return SiltError(
            error.code, "expected \(expected), found \(found.what)", file: source.path, advice: found.advice)
    }

    private static func blank(_ start: [UInt8], _ size: Int) -> ForeignContent? {
        if size == 0 {
            return ForeignContent("an empty file", "a download or copy did not finish: download or copy it again")
        }
        guard start.count >= 16, start.allSatisfy({ $0 == 0 }) else { return nil }
        return ForeignContent(
            "nothing but zeros at its start", "a download took its room and did not fill it: download it again")
    }

    /// Pointers, pages and messages: what stands in a file's place, as text.
    private static func text(_ start: [UInt8], _ size: Int, _ tellsPlainText: Bool) -> ForeignContent? {
        let hasMark = start.starts(with: ByteOrderMark.bytes)
        let text = String(decoding: start.dropFirst(hasMark ? ByteOrderMark.bytes.count : 0), as: UTF8.self)
        let trimmed = text.drop { $0.isWhitespace }
        for pointer in pointers where trimmed.hasPrefix(pointer.start) {
            let bytes = number("size ", in: trimmed).map { " to a file of \($0) bytes" } ?? ""
            return ForeignContent(pointer.what + bytes, pointer.advice)
        }
        let word = trimmed.prefix(16).lowercased()
        if pages.contains(where: word.hasPrefix) {
            let kind = word.hasPrefix("<?xml") || word.hasPrefix("<error") ? "an XML page" : "a web page (HTML)"
            return ForeignContent(
                "\(kind), a server's answer in place of the file",
                "download the file itself: is the address right, and does it need a login or token?")
        }
        // Any other text: one that a person can read is told as it is.
        guard tellsPlainText, !trimmed.isEmpty, isReadable(text, cut: size > window) else { return nil }
        let isJSON = trimmed.hasPrefix("{") || trimmed.hasPrefix("[")
        return ForeignContent(
            "\(isJSON ? "JSON" : "text") that begins \"\(shown(trimmed))\"",
            "a server may have answered with a message in place of the file: download it again")
    }

    private static let pages = ["<!doctype", "<html", "<head", "<body", "<!--", "<script", "<?xml", "<error"]

    private struct Pointer {
        let start: String
        let what: String
        let advice: String
    }

    private static let lfs = "fetch the file itself with `git lfs pull`, or download it again"
    private static let pointers = [
        Pointer(start: "version https://git-lfs", what: "a Git LFS pointer", advice: lfs),
        Pointer(start: "version https://hawser", what: "a Git LFS pointer", advice: lfs),
        Pointer(
            start: "# xet version", what: "a Git Xet pointer",
            advice: "fetch the file itself with `git xet checkout`, or download it again"),
        Pointer(
            start: "/annex/objects/", what: "a git-annex pointer",
            advice: "fetch the file itself with `git annex get`, or download it again"),
    ]

    /// The number at the end of the line that begins with `key`.
    private static func number(_ key: String, in text: Substring) -> Int? {
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(key) {
            return Int(line.dropFirst(key.count))
        }
        return nil
    }

    /// Whether a text has no control characters and is UTF-8, but for a character that the window's end cuts.
    private static func isReadable(_ text: String, cut: Bool) -> Bool {
        let scalars = cut ? text.unicodeScalars.dropLast(1) : text.unicodeScalars[...]
        return scalars.allSatisfy { scalar in
            scalar != "\u{FFFD}" && (scalar.value >= 32 || scalar.properties.isWhitespace) && scalar.value != 127
        }
    }

    /// The beginning of a text for a message.
    private static func shown(_ text: Substring) -> String {
        let line = text.prefix { !$0.isNewline }
        return line.count > 60 ? line.prefix(60) + "…" : String(line)
    }
}

/// The three bytes by which some editors mark a text as UTF-8.
package enum ByteOrderMark {
    /// U+FEFF in UTF-8.
    package static let bytes: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// `text` without the mark, if it begins with one.
    package static func dropped(from text: [UInt8]) -> [UInt8] {
        text.starts(with: bytes) ? Array(text.dropFirst(bytes.count)) : text
    }
}
