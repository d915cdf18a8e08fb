internal import ByteSources
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

/// The files of a model that exists only as a Silt file over its base.
struct RebuiltTree: FileTree {
    private let model: SiltModel
    let files: [String]

    init(_ model: SiltModel) {
        self.model = model
        files = model.file.fileNames.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// That of the Silt file: what messages name.
    var path: String { model.file.path }

    var form: TreeForm { model.file.container.manifest.form == .file ? .file : .directory }

    func open(_ relative: String) throws(SiltError) -> any ByteSource {
        guard model.file.fileNames.contains(where: { ByteName($0) == ByteName(relative) }) else {
            throw SiltError(.inputMissing, "the result has no such file", file: path(of: relative))
        }
        return try model.file(relative)
    }
}
