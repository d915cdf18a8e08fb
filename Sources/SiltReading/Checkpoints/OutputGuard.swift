package import Safetensors
internal import ByteSources
package import TensorTypes

/// Keeps outputs away from inputs: replacing may take an old output, never what the work reads.
package enum OutputGuard {
    /// Throws `cannotCreate` if `output` is one of `inputs`, or one of their files.
    package static func check(_ output: String, files: [String], checkpoints: [Checkpoint]) throws(SiltError) {
        guard let identity = FileIdentity(output) else { return }
        for checkpoint in checkpoints {
            for path in [checkpoint.path] + checkpoint.files.map({ checkpoint.path(of: $0) })
            where FileIdentity(path) == identity { throw refusal(output, path) }
        }
        for path in files where FileIdentity(path) == identity { throw refusal(output, path) }
    }

    /// Throws `cannotCreate` if `output` lies in the directory `checkpoint`, whose every file is packed.
    package static func check(_ output: String, outside checkpoint: Checkpoint) throws(SiltError) {
        guard checkpoint.form == .directory, FileIdentity.lies(output, below: checkpoint.path) else { return }
        throw SiltError(
            .cannotCreate, "the output is inside \(checkpoint.path), all of whose files are packed", file: output,
            advice: "write it next to the directory")
    }

    private static func refusal(_ output: String, _ input: String) -> SiltError {
        SiltError(
            .cannotCreate, "the output is also an input: \(input)", file: output,
            advice: "give another output; \(option: .replaceExisting) does not replace inputs")
    }
}
