internal import SiltReading
internal import Safetensors
internal import ByteSources
package import TensorTypes

/// A page that is written beside long work: it appears whole or not at all, and never in the place of an input.
package struct ReportFile: Sendable {
    private let output: StagedOutput

    /// Takes the name `path`, before the work: nobody wants to hear after an hour that the page exists.
    ///
    /// - Parameters:
    ///   - file: the Silt file that the work reads.
    ///   - fineTuned: the checkpoint that it compares with, whose directory must not gain a file.
    ///   - replacing: whether a file of this name gives way.
    /// - Throws: `cannotCreate`, or what opening the checkpoints throws.
    package init(
        at path: String, base: String, file: String?, against fineTuned: String?, replacing: Bool
    ) throws(SiltError) {
        var checkpoints = [try Checkpoint.asBase(base)]
        if let fineTuned {
            let checkpoint = try Checkpoint.asResult(fineTuned)
            guard checkpoint.form == .file || !FileIdentity.lies(path, below: checkpoint.path) else {
                throw SiltError(
                    .cannotCreate, "the report is inside \(checkpoint.path), all of whose files are compared",
                    file: path,
                    advice: "write it next to the directory")
            }
            checkpoints.append(checkpoint)
        }
        try OutputGuard.check(path, files: file.map { [$0] } ?? [], checkpoints: checkpoints)
        output = try StagedOutput(at: path, form: .file, replacing: replacing ? .file : .never)
    }

    /// Writes the page, which appears under its name.
    ///
    /// Once only. Throws `io` or `cannotCreate`.
    package func write(_ text: String) throws(SiltError) {
        try output.file.write(Array(text.utf8), at: 0)
        try output.commit()
    }
}
