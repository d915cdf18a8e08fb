internal import ByteSources
internal import TensorTypes

/// What users give in place of a checkpoint's path: a name on the Hub, or its cache and not a snapshot in there.
enum GivenPath {
    /// Snapshots that a message names at most.
    private static let shown = 4

    /// Throws `inputMissing` if the path is one of these.
    static func check(_ path: String) throws(SiltError) {
        switch DirectoryListing.kind(of: path) {
        case .missing: try checkName(path)
        case .directory: try checkCache(path)
        case .file, .other: break
        }
    }

    /// A path that leads nowhere.
    private static func checkName(_ path: String) throws(SiltError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isAddress = path.contains("://")
        let isName =
            parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && !part.hasPrefix(".") && part.utf8.allSatisfy(isNamed)
            } && DirectoryListing.kind(of: String(parts[0])) == .missing
        guard isName || isAddress else { return }
        throw SiltError(
            .inputMissing, "there is no such file or directory", file: path,
            advice:
                "if this is a repository of the Hugging Face Hub, download it with `hf download` and give the directory that it prints"
        )
    }

    private static func isNamed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func checkCache(_ path: String) throws(SiltError) {
        let names = Set(try DirectoryListing.names(in: path))
        // A checkpoint may have directories of any name.
        guard !names.contains(where: { $0.hasSuffix(".safetensors") || $0 == "config.json" }) else { return }
        if isRoot(path, names) {
            throw refusal(path, "the root of a repository in the Hub's cache", snapshots(path))
        }
        let hub = [path, DirectoryListing.join(path, "hub")].first { directory in
            !models(in: directory).isEmpty
        }
        if let hub {
            let count = models(in: hub).count
            throw refusal(
                path, "the Hub's cache, with \(count) \(count == 1 ? "model" : "models"),",
                models(in: hub).flatMap(snapshots))
        }
        // snapshots, refs or blobs of a repository, given by itself.
        let above = DirectoryListing.join(path, "..")
        let last = path.split(separator: "/").last.map(String.init)
        guard let last, ["snapshots", "refs", "blobs"].contains(last),
            let around = try? DirectoryListing.names(in: above),
            isRoot(above, Set(around))
        else { return }
        let root = path.split(separator: "/", omittingEmptySubsequences: true).dropLast().joined(separator: "/")
        throw refusal(path, "a part of the Hub's cache", snapshots((path.hasPrefix("/") ? "/" : "") + root))
    }

    /// The models' repositories in a directory.
    private static func models(in directory: String) -> [String] {
        guard let names = try? DirectoryListing.names(in: directory) else { return [] }
        return names.filter { $0.hasPrefix("models--") }.sorted().map { DirectoryListing.join(directory, $0) }
    }

    /// Whether this is the directory of one repository in the cache.
    private static func isRoot(_ path: String, _ names: Set<String>) -> Bool {
        let isNamed = path.split(separator: "/").last?.hasPrefix("models--") == true
        return names.contains("snapshots") && (isNamed || names.contains("refs") || names.contains("blobs"))
            && DirectoryListing.kind(of: DirectoryListing.join(path, "snapshots")) == .directory
    }

    /// The snapshots of a repository in the cache, those that a branch names first.
    private static func snapshots(_ root: String) -> [String] {
        let directory = DirectoryListing.join(root, "snapshots")
        guard let names = try? DirectoryListing.names(in: directory) else { return [] }
        let main = try? LocalFile(DirectoryListing.join(root, "refs/main"))
        let bytes = main.flatMap { file in try? file.bytes(0..<min(64, file.size)) } ?? []
        let current = String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)
        let sorted = names.filter { $0 == current } + names.filter { $0 != current }.sorted()
        return sorted.map { DirectoryListing.join(directory, $0) }
    }

    private static func refusal(_ path: String, _ what: String, _ snapshots: [String]) -> SiltError {
        guard !snapshots.isEmpty else {
            return SiltError(
                .inputMissing, "found \(what), without any snapshot, where a checkpoint is expected", file: path,
                advice: "download the model first, with `hf download`")
        }
        let more = snapshots.count > shown ? ", or one of \(snapshots.count - shown) more" : ""
        return SiltError(
            .inputMissing, "found \(what) where a checkpoint is expected", file: path,
            advice: "give the snapshot: " + snapshots.prefix(shown).joined(separator: ", or ") + more)
    }
}
