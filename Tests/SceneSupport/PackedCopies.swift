import Foundation

/// Keeps what the tests pack, with both checkpoints, for the independent reader: each in a directory of its own below the one
/// that the environment variable SILT_KEEP_PACKED names (`make test` sets it; without it nothing is kept).
package enum PackedCopies {
    package static func keep(base: String, result: String, file: String) throws {
        guard let root = ProcessInfo.processInfo.environment["SILT_KEEP_PACKED"], !root.isEmpty else { return }
        let directory = URL(fileURLWithPath: root).appendingPathComponent(UUID().uuidString)
        let files = FileManager.default
        try files.createDirectory(at: directory, withIntermediateDirectories: true)
        for (name, path) in [("base", base), ("result", result), ("packed.silt", file)] {
            // What a path stands for, should it be a link.
            let source = URL(fileURLWithPath: path).resolvingSymlinksInPath()
            try files.copyItem(at: source, to: directory.appendingPathComponent(name))
        }
    }
}
