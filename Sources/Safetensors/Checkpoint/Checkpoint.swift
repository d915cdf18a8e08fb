internal import Synchronization
package import ByteSources
public import TensorTypes

/// A checkpoint as the field stores it: one safetensors file, or a directory with one or more.
///
/// Headers are read when it is opened; data stay on the device.
public final class Checkpoint: Sendable {
    /// What the path of a checkpoint leads to.
    public enum Form: String, Sendable, Hashable {
        /// One safetensors file.
        case file
        /// A directory.
        case directory
    }

    /// A tensor of the model.
    public struct Tensor: Sendable {
        /// Its name.
        public let name: String
        /// Its dtype and shape.
        public let info: TensorInfo
        /// The file that it is in.
        package let file: SafetensorsFile
        /// Its bytes in that file, counted from the start of the data.
        public let range: Range<Int>

        package init(name: String, info: TensorInfo, file: SafetensorsFile, range: Range<Int>) {
            (self.name, self.info, self.file, self.range) = (name, info, file, range)
        }
    }

    /// The path as it was given.
    public var path: String { tree.path }
    /// Whether it leads to a file or a directory.
    public var form: Form { tree.form == .file ? .file : .directory }
    /// The tensors of the model, ascending by the bytes of their names.
    ///
    /// Those of a directory are the tensors of `model.safetensors`; without it, of the files that `model.safetensors.index.json`
    /// names, if they are there; else of all `.safetensors` files at the top.
    public let tensors: [Tensor]
    /// What a user may want to know of how the model's files were chosen: a sentence each.
    package let notes: [String]
    /// Relative paths of all files, ascending by their bytes; of a single file, its last component.
    package var files: [String] { tree.files }
    /// Where the files are.
    package let tree: any FileTree
    private let positions: [ByteName: Int]
    private let library: FileLibrary

    /// Opens the checkpoint at `path` and reads the headers of its model's files.
    ///
    /// Throws `inputMissing` if nothing is there, a directory has no safetensors file or is one of the Hub's cache, or a file that the
    /// index names is absent with its tensors; `header` or `truncated` if a file or the index breaks a rule, or two files have a
    /// tensor of the same name; `path` if the directory has what a checkpoint cannot have (links to
    /// directories, devices); `io` or `changed` if reading fails.
    public convenience init(at path: String) throws(SiltError) {
        try GivenPath.check(path)
        try self.init(LocalTree(path))
    }

    /// Opens a checkpoint that serves as a base: links that lead nowhere, linked directories, devices and odd names beside the
    /// model do not matter.
    package convenience init(base path: String) throws(SiltError) {
        try GivenPath.check(path)
        try self.init(LocalTree(path, skipsOddities: true))
    }

    /// Opens the checkpoint that a tree holds.
    ///
    /// Throws as above.
    package init(_ tree: any FileTree) throws(SiltError) {
        self.tree = tree
        library = FileLibrary()
        var model = try ModelFiles(of: tree)
        let (tensors, positions): ([Tensor], [ByteName: Int])
        do throws(SiltError) {
            tensors = try Checkpoint.tensors(of: model.files, tree, library)
            positions = try Checkpoint.positions(of: tensors)
        } catch {
            throw model.explained(error, tree)
        }
        try model.check(tree) { name in positions[ByteName(name)].map { tensors[$0] } }
        (self.tensors, self.positions, notes) = (tensors, positions, model.notes)
    }

    /// The tensor `name` of the model; nil if there is none.
    public subscript(name: String) -> Tensor? { positions[ByteName(name)].map { tensors[$0] } }

    /// The path of the file `relative` of this checkpoint.
    package func path(of relative: String) -> String { tree.path(of: relative) }

    /// Those of `files` that are safetensors files by their name (a single file always is), whether or not the model's.
    package var safetensorsFiles: [String] {
        form == .file ? files : files.filter { $0.hasSuffix(".safetensors") }
    }

    /// The safetensors file `relative` of this checkpoint, opened once.
    ///
    /// Throws like `SafetensorsFile.init`.
    package func open(_ relative: String) throws(SiltError) -> SafetensorsFile {
        try library.open(relative, in: tree)
    }

    /// The tensor `name` of the safetensors file `relative`, the model's or not; nil if the file does not have it.
    ///
    /// Throws like `SafetensorsFile.init`.
    package func tensor(_ name: String, in relative: String) throws(SiltError) -> Tensor? {
        let file = try open(relative)
        guard let entry = file.header[name] else { return nil }
        return Tensor(name: entry.name, info: entry.info, file: file, range: entry.range)
    }

    /// Any file of this checkpoint.
    ///
    /// - Throws: `inputMissing` or `io`.
    package func source(_ relative: String) throws(SiltError) -> any ByteSource { try tree.open(relative) }

    /// The tensors of `files`, ascending by the bytes of their names.
    private static func tensors(
        of files: [String], _ tree: any FileTree, _ library: FileLibrary
    ) throws(SiltError) -> [Tensor] {
        var tensors: [Tensor] = []
        for relative in files {
            let file = try library.open(relative, in: tree)
            tensors += file.header.entries.map {
                Tensor(name: $0.name, info: $0.info, file: file, range: $0.range)
            }
        }
        return tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func positions(of tensors: [Tensor]) throws(SiltError) -> [ByteName: Int] {
        var positions: [ByteName: Int] = [:]
        for (position, tensor) in tensors.enumerated() {
            guard let other = positions.updateValue(position, forKey: ByteName(tensor.name)) else { continue }
            let message = "the tensor is also in \(tensors[other].file.path)"
            throw SiltError(
                .header, message, file: tensor.file.path, tensor: tensor.name,
                advice: "which files are the model? Keep one set of them, or the index that names it")
        }
        return positions
    }
}
