internal import SiltReading
package import Workers
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
package import TensorTypes

/// Codes a tensor by a lossy method, and reads it back: what the file records of the result is what a reader rebuilds.
///
/// A tensor's delta is read a band of rows at a time where masks come from a seed, or as a whole, as Float: methods that choose among
/// all elements cannot do with less.
package struct LossyEncoder: Sendable {
    package let options: LossyOptions
    private let builder: ComponentBuilder

    /// Prepares the work on `tensors`; a choice over all of them reads them first.
    package init(
        _ options: LossyOptions, _ tuning: LossyTuning?, _ tensors: [TensorTask], _ pipeline: Pipeline,
        _ progress: Progress.Handler?
    ) throws(SiltError) {
        self.options = options
        let context = try DeltaContext(
            options, tensors, pipeline, progress, curvature: options.curvature ? tuning?.curvature : nil)
        builder = ComponentBuilder(options: options, context: context, tuning: tuning)
    }

    /// Codes the elements of `tensor` that the base has.
    ///
    /// - Parameter fate: nil: that of the tensor.
    package func encode(
        _ tensor: TensorTask, as fate: TensorPolicy.Fate? = nil, _ worker: PackWorker
    ) throws(SiltError) -> LossyTensor {
        let delta = try tensor.delta(worker)
        if let correction = builder.tuning?.corrections[tensor.name] { try delta.add(correction) }
        let coded = try builder.code(delta, tensor.name, fate ?? tensor.fate, worker.matrix)
        return try rebuild(tensor, coded.components, coded.chunks, worker)
    }

    /// Rebuilds the tensor as a reader does, and measures what came out.
    private func rebuild(
        _ tensor: TensorTask, _ components: [ComponentRecord], _ chunks: ComponentChunks, _ worker: PackWorker
    ) throws(SiltError) -> LossyTensor {
        let dtype = tensor.info.dtype
        let width = dtype.elementBytes
        let known = tensor.segments[0].elements
        let part = PartRecord(kind: .copy, elements: known, components: components)
        let record = TensorRecord(
            name: tensor.entry.name, info: tensor.info, range: tensor.entry.range, digest: nil, base: nil,
            parts: [part])
        let predictor = Predictor(MemoryChunks(chunks: chunks.chunks))
        var sums = ReceiptSums()
        var digests: [Digest128] = []
        for cell in 0..<tensor.grid.count {
            let range = tensor.grid.range(cell)
            let piece = range.clamped(to: known)
            guard !piece.isEmpty, let base = tensor.base else {
                if let digest = tensor.digests[cell] { digests.append(digest) }
                continue
            }
            let fineTuned = try unsafe tensor.read(range, into: worker.result)
            guard let source = fineTuned.baseAddress else { continue }
            let patterns = try unsafe worker.base.read(base.tensor, piece, as: dtype, hashing: false).patterns
            worker.rebuilt.reserve(range.count * width)
            let rebuilt = unsafe worker.rebuilt.start
            unsafe rebuilt.copyMemory(from: source, byteCount: range.count * width)
            if components.isEmpty {
                unsafe rebuilt.copyMemory(from: patterns, byteCount: piece.count * width)
            } else {
                try unsafe predictor.predict(
                    record, part, cell: cell, base: patterns, into: rebuilt, count: piece.count,
                    worker.predictor)
            }
            unsafe digests.append(
                Digest128(of: UnsafeRawBufferPointer(start: UnsafeRawPointer(rebuilt), count: range.count * width)))
            unsafe sums.add(
                result: FloatConversion.floats(rebuilt, dtype, piece.count, worker.resultFloats),
                fineTuned: FloatConversion.floats(source, dtype, piece.count, worker.fineFloats),
                base: FloatConversion.floats(patterns, dtype, piece.count, worker.baseFloats), count: piece.count)
        }
        guard sums.lost == 0 else {
            throw SiltError(
                .usage,
                "\(sums.lost) values would come back infinite: the value type or q is too small for the delta",
                tensor: tensor.entry.name,
                advice:
                    "use \(option: .values) bf16 or f32 or a larger q, or leave the tensor out with \(option: .except)")
        }
        return LossyTensor(
            components: components, chunks: chunks, digest: Digest128(pieces: digests), sums: sums)
    }
}
