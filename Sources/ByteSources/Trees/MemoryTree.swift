package import TensorTypes

/// Files whose sources are given: in memory, wrapped, or made elsewhere.
package struct MemoryTree: FileTree {
    package let path: String
    package let form: TreeForm
    package let files: [String]
    private let sources: [ByteName: any ByteSource]

    /// A directory of these files.
    package init(_ sources: [String: any ByteSource], path: String) {
        self.path = path
        form = .directory
        files = sources.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.sources = Dictionary(sources.map { (ByteName($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// One file.
    package init(file source: any ByteSource) {
        path = source.path
        form = .file
        let name = source.path.split(separator: "/").last.map(String.init) ?? source.path
        files = [name]
        sources = [ByteName(name): source]
    }

    package func open(_ relative: String) throws(SiltError) -> any ByteSource {
        guard let source = sources[ByteName(relative)] else {
            throw SiltError(.inputMissing, "there is no such file", file: path(of: relative))
        }
        return source
    }
}
