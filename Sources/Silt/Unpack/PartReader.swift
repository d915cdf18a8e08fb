internal import DeltaCodecs
internal import DeltaKernels
internal import SiltFormat
internal import TensorTypes

/// Rebuilds the elements of a part in one cell (Formats/Silt.md, sections 7 and 8).
struct PartReader: Sendable {
    let container: ContainerReader

    /// How a chunk failed to decode. With a wrong base this is to be expected, so the base is judged first.
    struct Failure: Error, Sendable {
        let error: SiltError
    }

    /// Rebuilds `count` elements.
    ///
    /// - Parameters:
    ///   - part: the part, with `index` the number of its chunk.
    ///   - base: the elements of the base as the result's dtype; nil for `whole`.
    ///   - target: where the elements go.
    /// - Throws: `SiltError` if the file is damaged, `Failure` if the chunk, which has its checksum, does not decode.
    func read(
        _ part: PartRecord, chunk index: Int, _ info: TensorInfo, base: UnsafeRawPointer?,
        into target: UnsafeMutableRawPointer, count: Int, _ worker: DecodeWorker
    ) throws(SiltError) -> Failure? {
        let width = info.dtype.elementBytes
        guard let codec = part.codec else {
            if let base = unsafe base { unsafe target.copyMemory(from: base, byteCount: count * width) }
            return nil
        }
        let bytes = try unsafe container.read(index, into: worker.chunk)
        guard bytes.count > 0 else {
            if let base = unsafe base {
                unsafe target.copyMemory(from: base, byteCount: count * width)
            } else {
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: count * width)
            }
            return nil
        }
        do throws(ChunkError) {
            switch codec {
            case .none:
                guard bytes.count == count * width, let start = bytes.baseAddress else {
                    throw ChunkError(reason: "it has \(bytes.count) bytes instead of \(count * width)")
                }
                unsafe target.copyMemory(from: start, byteCount: bytes.count)
                if let base = unsafe base { unsafe Planes.xor(target, base, bytes: bytes.count) }
                return nil
            case .zstd, .lz4:
                worker.planes.reserve(count * width)
                let planes = unsafe worker.planes.prefix(count * width)
                if codec == .zstd {
                    try unsafe worker.zstd.decompress(bytes, into: planes)
                } else {
                    try unsafe LZ4.decompress(bytes, into: planes)
                }
            case .rans:
                let found: PartDecoder
                switch decoder(part, info, worker) {
                case .success(let decoder): found = decoder
                case .failure(let error): return Failure(error: error)
                }
                switch found {
                case .residual(let decoder):
                    guard let base = unsafe base, let layout = info.dtype.floatLayout, let unit = part.unit else {
                        throw ChunkError(reason: "its part is not a residual")
                    }
                    try unsafe decoder.decode(
                        bytes, layout, base: base, result: target, count: count, unit: unit,
                        unitCodes: worker.unitCodes)
                    return nil
                case .planes(let codec):
                    worker.planes.reserve(count * width)
                    try unsafe codec.decode(bytes, planes: worker.planes.start, count: count)
                }
            }
        } catch {
            return Failure(error: container.fault(.chunk, chunk: index, error.reason))
        }
        unsafe Planes.merge(width: width, worker.planes.start, base: base, count: count, into: target)
        return nil
    }

    /// The decoder of a part's tables, from the worker's last ones if it can be.
    private func decoder(
        _ part: PartRecord, _ info: TensorInfo, _ worker: DecodeWorker
    ) -> Result<PartDecoder, SiltError> {
        guard let index = part.tables else { return .failure(SiltError(.coverage, "a part has no tables")) }
        if let known = worker.decoders[index], known.suits(part, info) { return .success(known) }
        do throws(SiltError) {
            let stored = try container.tables(index)
            let decoder: PartDecoder
            do throws(TablesError) {
                if part.kind == .exact {
                    decoder = .residual(
                        ResidualDecoder(try ResidualTables(stored: stored, width: info.dtype.elementBytes * 8)))
                } else {
                    decoder = .planes(
                        PlaneCodec(
                            try PlaneTables(stored: stored, elementBytes: info.dtype.elementBytes), forEncoding: false))
                }
            } catch {
                throw container.fault(.tables, chunk: index, "the tables \(error.reason)")
            }
            worker.decoders.insert(decoder, for: index)
            return .success(decoder)
        } catch {
            return .failure(error)
        }
    }
}

extension PartDecoder {
    /// Whether the decoder is what a part needs; a hostile file may share tables between parts that differ.
    func suits(_ part: PartRecord, _ info: TensorInfo) -> Bool {
        switch self {
        case .residual(let decoder): part.kind == .exact && decoder.width == 8 * info.dtype.elementBytes
        case .planes(let codec): part.kind != .exact && codec.elementBytes == info.dtype.elementBytes
        }
    }
}
