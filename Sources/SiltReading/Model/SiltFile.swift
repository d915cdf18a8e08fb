internal import ByteSources
public import Safetensors
package import SiltFormat
public import TensorTypes

/// An open Silt file: its header, chunk table and manifest are read and checked, no chunk is.
///
/// Opening takes three reads, however large the file is.
public final class SiltFile: Sendable {
    /// The container.
    package let container: ContainerReader

    /// Opens the Silt file at `path`.
    ///
    /// - Throws: `SiltError` with the classes of Formats/Silt.md section 9 if it breaks the format; `inputMissing`, `io`.
    public convenience init(at path: String) throws(SiltError) { self.init(try ContainerReader(path)) }

    /// A file that is open.
    package init(_ container: ContainerReader) { self.container = container }

    /// The path as it was given.
    public var path: String { container.path }

    /// Names of the result's tensors, in the order of the file; two files of the result may have tensors of one name.
    public var tensorNames: [String] { container.manifest.tensors.map(\.name) }

    /// Paths of the result's files, relative to its directory.
    public var fileNames: [String] { container.manifest.files.map(\.path) }

    /// The model that the file holds as its difference from `base`.
    ///
    /// Nothing is rebuilt until it is asked for.
    ///
    /// - Throws: `baseMissing`, `baseDType` or `baseShape` if the base does not have what the file was packed against. Whether it has
    ///   the right values shows when they are read.
    public func over(_ base: Checkpoint) throws(SiltError) -> SiltModel { try SiltModel(self, base) }

    /// The model over one that is itself rebuilt as it is read: a link of a chain.
    ///
    /// - Throws: as above.
    public func over(_ base: SiltModel) throws(SiltError) -> SiltModel { try over(try base.checkpoint()) }
}
