internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import SiltReading
package import TensorTypes
package import Workers

/// Codes a tensor by a lossy method, and reads it back: what the file records of the result is what a reader rebuilds.
///
/// A tensor's delta is read a band of rows at a time where masks come from a seed, or as a whole, as Float: methods that choose among
/// all elements cannot do with less.
package struct LossyEncoder: Sendable {
    /// Buffers of one worker.
    package final class Workspace {
        let delta = DeltaBuffers()
        let matrix = MatrixWorkspace()
        let predictor = Predictor.Workspace()
        let rebuilt = ByteBuffer()
        /// The elements of fine-tuned, base and result, as Float.
        let fineFloats = ByteBuffer(), baseFloats = ByteBuffer(), resultFloats = ByteBuffer()

        package init() {}
    }

    private let builder: ComponentBuilder

    /// Prepares the work on `tensors`; a choice over all of them reads them first.
    package init(
        _ decision: LossyDecision, _ tensors: [KnownTensor], _ pool: WorkerPool, _ progress: Progress.Handler?
    ) throws(SiltError) {
        let (options, tuning) = (decision.options, decision.tuning)
        let context = try DeltaContext(
            options, tensors, pool, progress, curvature: options.curvature ? tuning.curvature : nil)
        builder = ComponentBuilder(options: options, context: context, tuning: tuning)
    }

    /// Codes the elements of a tensor that the base has.
    package func encode(
        _ known: KnownTensor, as fate: TensorPolicy.Fate, _ workspace: Workspace
    ) throws(SiltError) -> LossyTensor {
        let delta = try known.delta(workspace.delta)
        if let correction = builder.tuning?.corrections[known.name] { try delta.add(correction) }
        let coded = try builder.code(delta, known.name, fate, workspace.matrix)
        return try rebuild(known, coded.components, coded.chunks, workspace)
    }

    /// Rebuilds the tensor as a reader does, and measures what came out.
    private func rebuild(
        _ known: KnownTensor, _ components: [ComponentRecord], _ chunks: ComponentChunks, _ workspace: Workspace
    ) throws(SiltError) -> LossyTensor {
        let (tensor, dtype) = (known.tensor, known.info.dtype)
        let rebuilt = RebuiltTensor(known.name, known.info, known: known.knownElements, components, chunks)
        var sums = ReceiptSums()
        var digests: [Digest128] = []
        for cell in 0..<tensor.grid.count {
            let range = tensor.grid.range(cell)
            let piece = range.clamped(to: 0..<known.knownElements)
            guard !piece.isEmpty else {
                digests.append(known.digests[cell])
                continue
            }
            let bytes = range.count * dtype.elementBytes
            guard let base = tensor.base,
                let source = try unsafe tensor.read(range, into: workspace.delta.result).baseAddress
            else { throw tensor.fault("a lossy tensor has no base") }
            let patterns = try unsafe base.read(piece, as: dtype, workspace.delta.base)
            workspace.rebuilt.reserve(bytes)
            let target = unsafe workspace.rebuilt.start
            // Elements that the base lacks stay as they are.
            unsafe target.copyMemory(from: source, byteCount: bytes)
            try unsafe rebuilt.rebuild(
                cell, base: patterns, into: target, count: piece.count, workspace.predictor)
            unsafe digests.append(
                Digest128(of: UnsafeRawBufferPointer(start: UnsafeRawPointer(target), count: bytes)))
            unsafe sums.add(
                result: FloatConversion.floats(target, dtype, piece.count, workspace.resultFloats),
                fineTuned: FloatConversion.floats(source, dtype, piece.count, workspace.fineFloats),
                base: FloatConversion.floats(patterns, dtype, piece.count, workspace.baseFloats), count: piece.count)
        }
        guard sums.lost == 0 else {
            throw SiltError(
                .usage,
                "\(sums.lost) values would come back infinite: the value type or q is too small for the delta",
                tensor: known.name,
                advice:
                    "use \(option: .values) bf16 or f32 or a larger q, or leave the tensor out with \(option: .except)")
        }
        return LossyTensor(
            components: components, chunks: chunks, digest: Digest128(pieces: digests), sums: sums)
    }
}
