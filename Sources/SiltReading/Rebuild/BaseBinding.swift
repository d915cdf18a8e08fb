package import Safetensors
package import SiltFormat
package import ByteSources
package import TensorTypes

/// The base as a Silt file needs it: which tensor of the checkpoint answers each record, or how it fails to.
package struct BaseBinding: Sendable {
    package let checkpoint: Checkpoint

    package init(
        checkpoint: Checkpoint
    ) {
        self.checkpoint = checkpoint
    }

    /// The base tensor that `base` names.
    ///
    /// - Throws: `baseMissing`, `baseDType` or `baseShape`.
    package func tensor(_ base: BaseTensorRecord) throws(SiltError) -> Checkpoint.Tensor {
        guard let tensor = try find(base) else {
            throw fault(.baseMissing, base, "the base has no such tensor")
        }
        guard tensor.info.dtype == base.info.dtype else {
            throw fault(
                .baseDType, base,
                "the base has \(tensor.info.dtype.rawValue), the file was packed against \(base.info.dtype.rawValue)")
        }
        guard tensor.info.shape == base.info.shape else {
            throw fault(
                .baseShape, base,
                "the base has shape \(tensor.info.shape), the file was packed against \(base.info.shape)")
        }
        return tensor
    }

    private func find(_ base: BaseTensorRecord) throws(SiltError) -> Checkpoint.Tensor? {
        guard let file = base.file else { return checkpoint[base.name] }
        guard checkpoint.form == .directory, checkpoint.files.contains(file) else {
            throw fault(.baseMissing, base, "the base does not have the file \(file)")
        }
        return try checkpoint.tensor(base.name, in: file)
    }

    /// An error about a tensor of the base.
    package func fault(_ code: SiltError.Code, _ base: BaseTensorRecord, _ message: String) -> SiltError {
        SiltError(
            code, message, file: checkpoint.path, tensor: base.name,
            advice: "this is not the base that the file was packed against; silt inspect shows which one was")
    }

    /// The file of the base directory that equals a file of the result.
    package func file(_ path: String, bytes: Int) throws(SiltError) -> any ByteSource {
        let advice =
            "the file was packed against a base directory that has it; give that directory, or rebuild the tensors alone with \(option: .only)"
        guard checkpoint.form == .directory, checkpoint.files.contains(path) else {
            throw SiltError(
                .baseMissing, "the base does not have the file \(path)", file: checkpoint.path, advice: advice)
        }
        let input = try checkpoint.source(path)
        guard input.size == bytes else {
            throw SiltError(
                .baseContent, "the base's file has \(input.size) bytes, the one packed against had \(bytes)",
                file: input.path, advice: advice)
        }
        return input
    }
}
