package import Safetensors
package import TensorTypes

extension Checkpoint {
    /// Opens the base; a Silt file in its place is refused, since it is a valid safetensors file but no model.
    package static func asBase(_ path: String) throws(SiltError) -> Checkpoint {
        try refusingSilt(Checkpoint(base: path), "the base")
    }

    /// Opens the fine-tuned checkpoint, likewise.
    package static func asResult(_ path: String) throws(SiltError) -> Checkpoint {
        try refusingSilt(Checkpoint(at: path), "the fine-tuned checkpoint")
    }

    /// Opens a checkpoint that is to be run, likewise.
    package static func asModel(_ path: String) throws(SiltError) -> Checkpoint {
        try refusingSilt(Checkpoint(at: path), "a checkpoint", advice: "give its base too: \(option: .base) BASE")
    }

    private static func refusingSilt(
        _ checkpoint: Checkpoint, _ role: String, advice: String = "unpack it first: silt unpack BASE FILE.silt -o OUT"
    ) throws(SiltError) -> Checkpoint {
        guard checkpoint.form == .file, try checkpoint.open(checkpoint.files[0]).header.metadata?["format"] == "silt"
        else { return checkpoint }
        throw SiltError(
            .usage, "found a Silt file where \(role) is expected", file: checkpoint.path,
            advice: advice)
    }
}
