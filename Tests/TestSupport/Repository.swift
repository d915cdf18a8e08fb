import Foundation

/// Committed files that tests read.
package enum Repository {
    /// The directory of Package.swift: two levels above this file's.
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Where the file or directory `relative` is.
    package static func path(_ relative: String) -> String { root + "/" + relative }

    /// The bytes of a file; nil if it is not there.
    package static func bytes(_ relative: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path(relative)).map(Array.init)
    }

    /// The text of a file; empty if it is not there.
    package static func text(_ relative: String) -> String { String(decoding: bytes(relative) ?? [], as: UTF8.self) }

    /// The names in a directory, sorted.
    package static func names(in relative: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(relative))) ?? []).sorted()
    }
}
