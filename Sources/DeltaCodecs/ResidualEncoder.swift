internal import CSiltKernels
package import TensorTypes

/// Codes chunks of the residual with one plan (Formats/Silt.md, section 7.4).
///
/// One for each tensor or group; workers share it.
package final class ResidualEncoder: Sendable {
    private let plan: ResidualPlan
    private let rowOfClass: [UInt8]
    private let classes: EncodingTables
    private let codes: EncodingTables

    package init(_ plan: ResidualPlan) {
        self.plan = plan
        rowOfClass = plan.tables.rowOfClass
        classes = EncodingTables(plan.tables.rows)
        codes = EncodingTables([plan.tables.codes])
    }

    /// Buffers of one worker.
    package final class Workspace {
        fileprivate let symbols = ByteBuffer()
        fileprivate let rows = ByteBuffer()
        fileprivate let raw = ByteBuffer()
        fileprivate let words = ByteBuffer()
        fileprivate let scaleBuffer = ByteBuffer()
        fileprivate let histogram = ByteBuffer(capacity: 4 * Int(SILT_HISTOGRAM))
        fileprivate let level: KernelLevel
        fileprivate var unitCodes: [UInt8] = []
        private var isClear = false

        /// Buffers for kernels of a level; all levels give the same bytes.
        package init(level: KernelLevel = .best) { self.level = level }

        /// Measures a chunk and gives what was seen to `body`.
        ///
        /// - Parameters:
        ///   - base: `count` patterns of the base.
        ///   - result: `count` patterns of the result.
        ///   - unit: elements that share one scale.
        package func measure<R>(
            _ layout: FloatLayout, base: UnsafeRawPointer, result: UnsafeRawPointer, count: Int, unit: Int,
            _ body: (ChunkMeasure) -> R
        ) -> R {
            let counts = unsafe histogram.prefix(histogram.capacity).bindMemory(to: UInt32.self)
            if !isClear {
                unsafe counts.update(repeating: 0)
                isClear = true
            }
            var bins: [UInt32] = [0, 0]
            let scales = unsafe scales(
                layout, base: base, result: result, count: count, unit: unit, histogram: counts.baseAddress,
                bins: &bins)
            let touched = Int(bins[0])..<Int(bins[1])
            // Only what was touched is cleared: small tensors touch little of 128 KiB.
            defer {
                let rows = 256 * touched.lowerBound..<256 * touched.upperBound
                unsafe UnsafeMutableBufferPointer(rebasing: counts[rows]).update(repeating: 0)
            }
            return unsafe body(
                ChunkMeasure(histogram: UnsafeBufferPointer(counts), bins: touched, scales: scales))
        }

        /// The scales of a chunk's units, valid until the next call; with `histogram`, adds to its counts.
        fileprivate func scales(
            _ layout: FloatLayout, base: UnsafeRawPointer, result: UnsafeRawPointer, count: Int, unit: Int,
            histogram: UnsafeMutablePointer<UInt32>? = nil, bins: UnsafeMutablePointer<UInt32>? = nil
        ) -> UnsafeBufferPointer<Int16> {
            let units = (count + unit - 1) / unit
            scaleBuffer.reserve(2 * units)
            let scales = unsafe scaleBuffer.prefix(2 * units).bindMemory(to: Int16.self)
            if let start = scales.baseAddress {
                _ = unsafe silt_residual_measure(
                    level.rawValue, silt_float(layout), base, result, count, min(unit, count), start, histogram, bins)
            }
            return UnsafeBufferPointer(scales)
        }
    }

    /// Codes a chunk; empty if it equals the base.
    ///
    /// - Parameters:
    ///   - base: `count` patterns of the base.
    ///   - result: `count` patterns of the result, aligned to their width.
    ///   - unit: elements that share one scale, as the part states it.
    package func encode(
        _ layout: FloatLayout, base: UnsafeRawPointer, result: UnsafeRawPointer, count: Int, unit: Int,
        workspace: Workspace
    ) -> [UInt8] {
        let scales = unsafe workspace.scales(layout, base: base, result: result, count: count, unit: unit)
        workspace.unitCodes.removeAll(keepingCapacity: true)
        for index in scales.indices { unsafe workspace.unitCodes.append(plan.code(of: scales[index])) }
        guard workspace.unitCodes.contains(where: { $0 != 0 }) else { return [] }
        workspace.symbols.reserve(count)
        workspace.rows.reserve(count)
        workspace.raw.reserve(4 * count + 8)
        let symbols = unsafe workspace.symbols.start.assumingMemoryBound(to: UInt8.self)
        let rows = unsafe workspace.rows.start.assumingMemoryBound(to: UInt8.self)
        let raw = unsafe workspace.raw.start.assumingMemoryBound(to: UInt8.self)
        let level = workspace.level
        let rawBytes = unsafe silt_residual_symbols(
            level.rawValue, silt_float(layout), base, result, count, min(unit, count), workspace.unitCodes,
            Int32(plan.tables.origin), rowOfClass, symbols, rows, raw)
        let lanes = Rans.lanes(for: count)
        // At most one word a symbol and the states.
        let room = 2 * count + 4 * lanes + 2
        let unitRoom = 2 * workspace.unitCodes.count + 6
        workspace.words.reserve(room + unitRoom)
        let words = unsafe workspace.words.start.assumingMemoryBound(to: UInt8.self)
        let symbolBytes = unsafe classes.encode(
            symbols, rows: rows, count: count, lanes: lanes, end: words + room, level: level)
        let unitBytes = unsafe codes.encode(
            workspace.unitCodes, rows: nil, count: workspace.unitCodes.count, lanes: 1, end: words + room + unitRoom,
            level: level)
        var chunk: [UInt8] = []
        chunk.reserveCapacity(symbolBytes + unitBytes + rawBytes + 10)
        LEB128.append(unitBytes, to: &chunk)
        LEB128.append(symbolBytes, to: &chunk)
        unsafe chunk.append(
            contentsOf: UnsafeBufferPointer(start: words + room + unitRoom - unitBytes, count: unitBytes))
        unsafe chunk.append(contentsOf: UnsafeBufferPointer(start: words + room - symbolBytes, count: symbolBytes))
        unsafe chunk.append(contentsOf: UnsafeBufferPointer(start: raw, count: rawBytes))
        return chunk
    }
}

extension silt_float {
    init(_ layout: FloatLayout) {
        self.init(
            width: UInt32(layout.width), mantissa_bits: UInt32(layout.mantissaBits),
            exponent_mask: 1 << UInt32(layout.exponentBits) - 1)
    }
}
