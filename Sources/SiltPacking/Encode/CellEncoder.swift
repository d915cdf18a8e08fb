internal import ByteSources
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes

/// Codes cells of tensors and pieces of files; every chunk is read back before it counts.
struct CellEncoder: Sendable {
    let options: PackOptions
    let measured: Measured
    let digests: DigestBook

    /// The chunk of a segment's elements in a cell; empty if they equal the base's or, without a base, are 0 (Formats/Silt.md,
    /// section 5).
    ///
    /// - Parameter rebuilt: the tensor as its prediction gives it; nil: the base's elements stand for themselves.
    func encode(
        _ tensor: PackTensor, _ segment: Segment, _ cell: Int, _ coding: Coding, over rebuilt: RebuiltTensor?,
        _ worker: EncodeWorker
    ) throws(SiltError) -> [UInt8] {
        let range = tensor.grid.range(cell)
        let piece = range.clamped(to: segment.elements)
        let dtype = tensor.info.dtype
        let bytes = try unsafe tensor.read(range, into: worker.result)
        try unsafe digests.check(tensor, cell, Digest128(of: bytes))
        guard let start = bytes.baseAddress else { throw tensor.fault("a cell is empty") }
        let result = unsafe start + (piece.lowerBound - range.lowerBound) * dtype.elementBytes
        let base = try unsafe base(tensor, segment, cell, coding, over: rebuilt, worker)
        // The tables know nothing of such cells: they were not counted.
        if unsafe ByteCoder.isTrivial(result, base, bytes: piece.count * dtype.elementBytes) { return [] }
        if coding.isCopy { throw tensor.changed }
        let coders = try coding.tables.map { (tables) throws(SiltError) in
            try worker.coders(tables, coding.kind, dtype)
        }
        let codec = coding.codec ?? .none
        let chunk: [UInt8]
        switch coders?.encoder {
        case .residual(let encoder):
            guard let base = unsafe base, let layout = dtype.floatLayout else {
                throw tensor.fault("a residual has no base")
            }
            chunk = unsafe encoder.encode(
                layout, base: base, result: result, count: piece.count, unit: segment.unit, workspace: worker.residual)
        case .planes(let planes):
            chunk = unsafe worker.bytes.encode(
                planes, result: result, base: base, count: piece.count, width: dtype.elementBytes, words: worker.words)
        case nil:
            chunk = unsafe worker.bytes.encode(
                codec, level: options.level, result: result, base: base, count: piece.count,
                width: dtype.elementBytes)
        }
        // The base's elements, or their prediction, are in a buffer of the worker, and nobody needs them any more.
        let owned = unsafe base.map { unsafe UnsafeMutableRawPointer(mutating: $0) }
        guard
            unsafe worker.givesBack(
                chunk, codec, coders?.decoder, dtype, unit: segment.unit, base: owned, result: result,
                count: piece.count)
        else { throw tensor.fault("a chunk does not give back what it was made from") }
        return chunk
    }

    /// What stands for the base's elements in a cell; nil if the coding refers to none.
    private func base(
        _ tensor: PackTensor, _ segment: Segment, _ cell: Int, _ coding: Coding, over rebuilt: RebuiltTensor?,
        _ worker: EncodeWorker
    ) throws(SiltError) -> UnsafeRawPointer? {
        let piece = tensor.grid.range(cell).clamped(to: segment.elements)
        guard let base = tensor.base, segment.hasBase else { return nil }
        let hashes = measured.isSample && tensor.hashedBase(piece) != nil
        guard coding.usesBase || hashes else { return nil }
        let patterns = try unsafe base.read(
            piece, as: tensor.info.dtype, worker.base, hashing: base.cell(piece)
        ) { (base, cell, digest) throws(SiltError) in try digests.check(base, cell, digest) }
        guard coding.usesBase else { return nil }
        guard let rebuilt else { return unsafe patterns }
        return try unsafe rebuilt.rebuilt(cell, base: patterns, count: piece.count, worker.predictor)
    }

    /// The chunk of a piece of a file.
    func encode(_ file: OtherFile, _ piece: Int, _ worker: EncodeWorker) throws(SiltError) -> [UInt8] {
        let range = file.piece(piece)
        worker.result.reserve(range.count)
        let bytes = unsafe worker.result.prefix(range.count)
        try unsafe file.input.read(into: bytes, at: range.lowerBound)
        guard unsafe measured.others[file.index].digests[piece] == Digest128(of: UnsafeRawBufferPointer(bytes)) else {
            throw SiltError.changed(file.input.path, nil)
        }
        guard options.codec != .none else { return unsafe Array(bytes) }
        // Configurations and tokenizers are small: the best level costs nothing there.
        let level = file.input.size <= FileRecord.piece ? 19 : options.level
        return unsafe worker.bytes.compress(UnsafeRawBufferPointer(bytes), level: level)
    }
}
