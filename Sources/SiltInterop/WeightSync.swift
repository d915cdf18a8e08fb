internal import SiltReading
package import Workers
internal import Safetensors
internal import ByteSources
package import TensorTypes

/// Applies and writes the directories by which reinforcement learning hands new weights to its engines (slime's disk deltas, which
/// miles, vime and SGLang share).
///
/// An update is a directory `weight_vNNNNNN` in Hub layout. The index's `metadata` says `version` and `base_version` (six digits),
/// `delta_encoding`, `compression_format` (`zstd`) and `checksum_format`. Each changed tensor is a U8 tensor of its own name: one
/// zstd frame of the difference of its bytes. The shard's `__metadata__` has the checksum of each tensor's new bytes. Tensors
/// that do not change are absent.
package struct WeightSync: Sendable {
    /// How the difference of a tensor's bytes is written.
    package enum Encoding: String, Sendable, CaseIterable {
        /// Old bytes xor new bytes.
        case xor
        /// u32 number of changed bytes, u32 position of each, and their new values: can be applied twice.
        case overwrite
    }

    /// How checksums are made.
    package enum Checksum: String, Sendable, CaseIterable {
        /// XXH3-128, as 32 hexadecimal digits.
        case xxh3 = "xxh3-128"
        /// Adler-32, as 8 hexadecimal digits.
        case adler32
    }

    /// Whether an existing output may be replaced.
    package var replaceExisting: Bool
    /// Log, progress and cancellation.
    package var context: WorkContext

    /// A converter.
    package init(_ context: WorkContext, replaceExisting: Bool = false) {
        self.context = context
        self.replaceExisting = replaceExisting
    }

    /// Writes `base` with the update `update` applied as the directory `output`.
    ///
    /// Needs the memory of the largest changed tensor, twice.
    ///
    /// Throws `baseContent` if a tensor's checksum shows that the base is another than the update's; `baseMissing` if the base
    /// lacks a tensor; `chunk` for damaged data; `usage` for formats that Silt does not know; `header` for an index that breaks a
    /// rule.
    package func apply(base: String, update: String, to output: String) throws(SiltError) -> ConversionReport {
        let checkpoint = try Checkpoint(at: base)
        let difference = try WeightSyncReader(update)
        try OutputGuard.check(output, files: [update] + difference.paths, checkpoints: [])
        let rewrite = try DirectoryRewrite(
            at: output, inputs: [checkpoint], expected: checkpoint.files, replacing: replaceExisting, "applying",
            context)
        for name in difference.names where checkpoint[name] == nil {
            throw SiltError(
                .baseMissing, "the base \(base) has no such tensor", file: update, tensor: name,
                advice: "give the checkpoint of version \(difference.index.baseVersion)")
        }
        let models = try checkpoint.modelFiles
        for (path, file, tensors) in models {
            let shard = try rewrite.shard(path, file.header)
            for tensor in tensors {
                if let bytes = try difference.bytes(of: tensor) {
                    try shard.write(bytes, to: tensor.name)
                    try rewrite.step(bytes.count, tensor.name)
                } else {
                    try rewrite.copy(tensor, to: shard)
                }
            }
            try shard.finish()
        }
        let written = Set(models.map(\.path))
        for path in checkpoint.files where !written.contains(path) {
            try rewrite.copy(checkpoint.source(path), to: path)
        }
        try rewrite.commit()
        return ConversionReport(files: rewrite.files, tensors: rewrite.tensors, converted: difference.names.count)
    }

    /// Writes the update from `base` to `fineTuned` as the directory `output`.
    ///
    /// Only the tensors of the models count; other files are no part of an update.
    ///
    /// Throws `baseMissing`, `baseShape` or `baseDType` if the two do not have the same tensors; `limit` for `overwrite` of a tensor
    /// of 4 GiB or more; and what reading and writing throw.
    package func write(
        base: String, fineTuned: String, encoding: Encoding, checksum: Checksum = .xxh3, version: Int, baseVersion: Int,
        to output: String
    ) throws(SiltError) -> ConversionReport {
        guard version >= 0, baseVersion >= 0 else { throw SiltError(.usage, "versions must be 0 or more") }
        let (old, new) = (try Checkpoint(at: base), try Checkpoint(at: fineTuned))
        try WeightSync.checkSame(old, new)
        try OutputGuard.check(output, files: [], checkpoints: [old, new])
        let writer = try WeightSyncWriter(
            encoding, checksum, replacing: replaceExisting, to: output, for: new.tensors)
        let meter = ProgressMeter("writing", total: new.tensors.reduce(0) { $0 + $1.info.bytes }, context.progress)
        // In the order in which a header of U8 tensors has them.
        for tensor in new.tensors {
            try context.cancellation.check()
            if let before = old[tensor.name] { try writer.add(tensor, before: before) }
            meter.add(tensor.info.bytes, tensor.name)
        }
        try writer.finish(version: version, baseVersion: baseVersion)
        return ConversionReport(
            files: writer.count == 0 ? 1 : 2, tensors: writer.count, converted: writer.count)
    }

    private static func checkSame(_ old: Checkpoint, _ new: Checkpoint) throws(SiltError) {
        for tensor in new.tensors {
            guard let before = old[tensor.name] else {
                throw SiltError(
                    .baseMissing, "the base \(old.path) has no such tensor: an update cannot add any", file: new.path,
                    tensor: tensor.name)
            }
            guard before.info.dtype == tensor.info.dtype else {
                throw SiltError(
                    .baseDType, "the base has \(before.info.dtype.rawValue), not \(tensor.info.dtype.rawValue)",
                    file: new.path, tensor: tensor.name)
            }
            guard before.info.shape == tensor.info.shape else {
                throw SiltError(
                    .baseShape, "the base has the shape \(before.info.shape), not \(tensor.info.shape)", file: new.path,
                    tensor: tensor.name)
            }
        }
        for tensor in old.tensors where new[tensor.name] == nil {
            throw SiltError(
                .baseMissing, "the base has the tensor, \(new.path) does not: an update cannot remove any",
                file: old.path, tensor: tensor.name)
        }
    }
}
