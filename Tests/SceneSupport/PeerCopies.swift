import Foundation

/// Keeps what Silt writes for other libraries, so that `make test-peers` can show it to them: below the directory that the
/// environment variable SILT_KEEP_PEERS names; without it nothing is kept.
package enum PeerCopies {
    package static func keep(_ path: String, as name: String) throws {
        guard let root = ProcessInfo.processInfo.environment["SILT_KEEP_PEERS"], !root.isEmpty else { return }
        let files = FileManager.default
        try files.createDirectory(atPath: root, withIntermediateDirectories: true)
        let target = URL(fileURLWithPath: root).appendingPathComponent(name)
        try? files.removeItem(at: target)
        try files.copyItem(at: URL(fileURLWithPath: path), to: target)
    }
}
