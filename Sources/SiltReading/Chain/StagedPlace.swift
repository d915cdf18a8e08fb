package import ByteSources
package import TensorTypes

/// A directory beside an output that vanishes with this object: for results that only the work needs.
package final class StagedPlace {
    private let staged: StagedOutput

    package init(beside output: String) throws(SiltError) {
        staged = try StagedOutput(at: output + ".work", form: .directory, replacing: .never)
    }

    deinit { staged.discard() }

    /// Creates a file in the directory, with the directories that lead to it.
    package func create(_ name: String) throws(SiltError) -> OutputFile { try staged.create(name) }

    /// A path in the directory.
    package func path(_ name: String) -> String { DirectoryListing.join(staged.path, name) }

    /// Throws `cannotCreate` early if the file `output` exists and may not be replaced.
    package static func check(_ output: String, _ replaceExisting: Bool) throws(SiltError) {
        _ = try StagedOutput(at: output, form: .file, replacing: replaceExisting ? .file : .never)
    }
}
