internal import Workers
internal import DeltaCodecs
package import SiltFormat
package import TensorTypes

/// Rebuilds the elements of a part in one cell.
package struct PartReader: Sendable {
    package let source: any ChunkSource
    private let predictor: Predictor

    package init(_ source: any ChunkSource, level: KernelLevel = .best) {
        self.source = source
        predictor = Predictor(source, level: level)
    }

    /// Rebuilds `count` elements.
    ///
    /// - Parameters:
    ///   - cell: the cell, counted from the part's first.
    ///   - base: the elements of the base as the result's dtype; nil for `whole`.
    ///   - target: where the elements go; may be `base`.
    /// - Returns: how the chunk, which has its checksum, failed to decode; nil if it did not. With a wrong base that is to
    ///   be expected, so the caller judges the base first.
    /// - Throws: `SiltError` if the file is damaged or cannot be read.
    package func read(
        _ part: PartRecord, of record: TensorRecord, cell: Int, base: UnsafeRawPointer?,
        into target: UnsafeMutableRawPointer, count: Int, _ worker: DecodeWorker
    ) throws(SiltError) -> SiltError? {
        let info = record.info
        let bytes = count * info.dtype.elementBytes
        var base = unsafe base
        if !part.components.isEmpty, let patterns = unsafe base {
            do throws(SiltError) {
                try unsafe predictor.predict(
                    record, part, cell: cell, base: patterns, into: target, count: count, worker.predictor)
                // What is coded over a prediction takes its place.
                unsafe base = UnsafeRawPointer(target)
            } catch  where error.code == .chunk || error.code == .tables {
                return error
            }
        }
        let index = part.chunks.lowerBound + cell
        guard let codec = part.codec else {
            unsafe PartReader.copy(base, to: target, bytes)
            return nil
        }
        // The tables are checked even where no chunk needs them: a file is valid or it is not.
        var tables: PartDecoder?
        if let index = part.tables {
            switch decoder(index, part, info, worker) {
            case .success(let decoder): tables = decoder
            case .failure(let error): return error
            }
        }
        let chunk = try unsafe source.read(index, into: worker.chunk)
        guard chunk.count > 0 else {
            if unsafe base == nil {
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            }
            unsafe PartReader.copy(base, to: target, bytes)
            return nil
        }
        do throws(ChunkError) {
            try unsafe worker.decoder.decode(
                chunk, codec, tables, info.dtype, unit: part.unit, base: base, into: target, count: count)
            return nil
        } catch {
            return source.fault(.chunk, chunk: index, error.reason)
        }
    }

    private static func copy(_ base: UnsafeRawPointer?, to target: UnsafeMutableRawPointer, _ bytes: Int) {
        guard let base = unsafe base, unsafe base != UnsafeRawPointer(target) else { return }
        unsafe target.copyMemory(from: base, byteCount: bytes)
    }

    /// The decoder of a part's tables, from the worker's last ones if it can be.
    private func decoder(
        _ index: Int, _ part: PartRecord, _ info: TensorInfo, _ worker: DecodeWorker
    ) -> Result<PartDecoder, SiltError> {
        if let known = worker.tables[index], known.suits(part.kind, info.dtype) { return .success(known) }
        do throws(SiltError) {
            let stored = try source.tables(index)
            do throws(TablesError) {
                let decoder = try PartDecoder(stored: stored, kind: part.kind, dtype: info.dtype)
                worker.tables.insert(decoder, for: index)
                return .success(decoder)
            } catch {
                throw source.fault(.tables, chunk: index, "the tables \(error.reason)")
            }
        } catch {
            return .failure(error)
        }
    }
}
