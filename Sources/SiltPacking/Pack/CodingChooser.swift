internal import DeltaCodecs
internal import DeltaKernels
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// Measures segments and decides how each is coded: by the bytes that the codings take on the data themselves.
///
/// The residual and the planes under rANS are counted exactly (their symbols are), byte codecs are tried on a sample of
/// cells.
final class CodingChooser: Sendable {
    /// Tensors with fewer elements share tables with others of their dtype.
    static let groupBelow = 32_768
    /// A byte codec is tried on one cell of so many, on at most so many of its elements.
    static let sampleEvery = 32
    static let sampleElements = 32_768

    let options: PackOptions
    /// Statistics of the small tensors, by dtype.
    private let groups = Mutex<[DType: ResidualStatistics]>([:])

    init(_ options: PackOptions) { self.options = options }

    private var allowsRans: Bool { options.codec == .auto || options.codec == .rans }
    /// The byte codec that competes, or stands alone.
    private var byteCodec: Codec? {
        switch options.codec {
        case .auto, .zstd: .zstd
        case .lz4: .lz4
        case .none: Codec.none
        case .rans: nil
        }
    }

    /// Adds a run of `count` elements of cell `cell` to what is known of `segment`; decides after the last one.
    func measure(
        _ segment: Segment, _ dtype: DType, result: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, cell: Int,
        _ worker: PackWorker
    ) {
        let width = dtype.elementBytes
        if let base = unsafe base, unsafe Bits.areEqual(result, base, bytes: count * width) {
            finishCell(segment, dtype) { $0.equalElements += count }
            return
        }
        let layout = unsafe base == nil ? nil : dtype.floatLayout
        // Where the residual is the likely winner, the others are only there to notice when it is not.
        let stride = segment.isSampled ? Segment.sampleStride : 1
        let isTried = layout == nil || !allowsRans || cell / stride % (CodingChooser.sampleEvery / stride) == 0
        var whole: [[UInt64]]?
        var xor: [[UInt64]]?
        if allowsRans, isTried { whole = unsafe planes(width, result, nil, count) }
        if allowsRans, unsafe base != nil, layout == nil { xor = unsafe planes(width, result, base, count) }
        var sample = isTried ? unsafe self.sample(segment, dtype, layout, result, base, count, worker) : nil
        if let layout, let base = unsafe base, allowsRans {
            unsafe worker.residual.measure(layout, base: base, result: result, count: count, unit: segment.unit) {
                chunk in
                if sample?.elements == count {
                    var cell = ResidualStatistics()
                    cell.add(chunk)
                    sample?.residualBits = Int(cell.idealBits(width: layout.width))
                }
                segment.measure.withLock { measure in
                    if measure.residual == nil { measure.residual = ResidualStatistics() }
                    measure.residual?.add(chunk)
                }
            }
        }
        finishCell(segment, dtype) { measure in
            measure.movedElements += count
            if let whole {
                SegmentMeasure.add(whole, to: &measure.wholePlanes)
                measure.wholeElements += count
            }
            if let xor { SegmentMeasure.add(xor, to: &measure.xorPlanes) }
            if let sample { measure.sample.add(sample) }
        }
    }

    private func planes(
        _ width: Int, _ result: UnsafeRawPointer, _ base: UnsafeRawPointer?, _ count: Int
    ) -> [[UInt64]] {
        var counts = [[UInt64]](repeating: [UInt64](repeating: 0, count: 256), count: width)
        unsafe Planes.count(width: width, result, base: base, count: count, into: &counts)
        return counts
    }

    /// Tries the byte codec, and measures the residual of the same elements.
    private func sample(
        _ segment: Segment, _ dtype: DType, _ layout: FloatLayout?, _ result: UnsafeRawPointer,
        _ base: UnsafeRawPointer?, _ count: Int, _ worker: PackWorker
    ) -> SegmentMeasure.Sample? {
        guard byteCodec != nil else { return nil }
        let width = dtype.elementBytes
        // Tensors without a residual are rare and depend on the codec alone: all their elements are tried.
        let run = layout == nil ? count : min(count, CodingChooser.sampleElements)
        var sample = SegmentMeasure.Sample()
        sample.elements = run
        sample.wholeBytes = unsafe bytes(result, nil, run, width, worker)
        guard let base = unsafe base else { return sample }
        sample.xorBytes = unsafe bytes(result, base, run, width, worker)
        // The residual of all elements is measured anyway.
        if let layout, allowsRans, run < count {
            var statistics = ResidualStatistics()
            unsafe worker.residual.measure(layout, base: base, result: result, count: run, unit: segment.unit) {
                statistics.add($0)
            }
            sample.residualBits = Int(statistics.idealBits(width: layout.width))
        }
        return sample
    }

    /// Bytes that the byte codec takes for the planes of these elements.
    private func bytes(
        _ result: UnsafeRawPointer, _ base: UnsafeRawPointer?, _ count: Int, _ width: Int, _ worker: PackWorker
    ) -> Int {
        guard let byteCodec else { return 0 }
        return unsafe ByteCodec.encode(
            byteCodec, level: options.level, result: result, base: base, count: count, width: width, worker
        ).count
    }

    private func finishCell(_ segment: Segment, _ dtype: DType, _ update: (inout SegmentMeasure) -> Void) {
        let finished = segment.measure.withLock { measure -> SegmentMeasure? in
            update(&measure)
            measure.cellsLeft -= 1
            guard measure.cellsLeft == 0 else { return nil }
            defer { measure = SegmentMeasure(cells: 0) }
            return measure
        }
        guard let finished else { return }
        let coding = choose(segment, dtype, finished)
        segment.coding.withLock { $0 = coding }
    }

    /// The coding with the fewest bytes.
    private func choose(_ segment: Segment, _ dtype: DType, _ measure: SegmentMeasure) -> Segment.Coding {
        let seen = measure.equalElements + measure.movedElements
        if segment.hasBase, measure.movedElements == 0 {
            return segment.isMeasuredWhole ? .copy : stillCoding(dtype)
        }
        // What was seen stands for the whole segment.
        let share = Double(segment.elements.count) / Double(max(seen, 1))
        var best: (bits: Double, coding: Segment.Coding)?
        func offer(_ bits: Double, _ coding: @autoclosure () -> Segment.Coding) {
            if best.map({ bits < $0.bits }) ?? true { best = (bits, coding()) }
        }
        var residualBits: Double?
        let isSmall = segment.elements.count < CodingChooser.groupBelow
        if let residual = measure.residual, let layout = dtype.floatLayout {
            if isSmall {
                let bits = residual.idealBits(width: layout.width)
                residualBits = bits
                offer(bits, .exactInGroup)
            } else {
                let plan = ResidualPlan(width: layout.width, for: residual, isSample: !segment.isMeasuredWhole)
                let tables = TablesChunk(plan)
                let bits = plan.bits(for: residual) * share + Double(8 * tables.bytes.count)
                residualBits = bits
                offer(bits, .exact(tables))
            }
        }
        if !measure.xorPlanes.isEmpty {
            let counts = completed(measure.xorPlanes, unless: segment.isMeasuredWhole)
            let tables = PlaneTables(counts: counts)
            offer(
                tables.bits(for: measure.xorPlanes) * share, Segment.Coding.planes(.xor, .rans, TablesChunk(tables)))
        }
        if !measure.wholePlanes.isEmpty {
            // Cells that equal the base are free for the others, not for `whole`.
            let counts = completed(measure.wholePlanes, unless: measure.wholeElements == segment.elements.count)
            let tables = PlaneTables(counts: counts)
            let scale = Double(segment.elements.count) / Double(measure.wholeElements)
            offer(tables.bits(for: counts) * scale, Segment.Coding.planes(.whole, .rans, TablesChunk(tables)))
        }
        if let byteCodec, measure.sample.elements > 0 {
            let scale = 8 / Double(measure.sample.elements)
            if segment.hasBase {
                // Cells move by very different amounts, and a sample need not be typical: what it shows is how the codec
                // compares with the residual on the same cells.
                let bits: Double
                if let residualBits, measure.sample.residualBits > 0 {
                    bits = residualBits * Double(8 * measure.sample.xorBytes) / Double(measure.sample.residualBits)
                } else {
                    bits = Double(measure.sample.xorBytes) * scale * Double(measure.movedElements) * share
                }
                offer(bits, .planes(.xor, byteCodec, nil))
            }
            offer(
                Double(measure.sample.wholeBytes) * scale * Double(segment.elements.count),
                .planes(.whole, byteCodec, nil))
        }
        guard let best else {
            // No sampled cell moved and only a byte codec is allowed: the cheapest guess.
            return .planes(segment.hasBase ? .xor : .whole, byteCodec ?? .zstd, nil)
        }
        if case .exactInGroup = best.coding, let residual = measure.residual {
            groups.withLock { $0[dtype, default: ResidualStatistics()].add(residual) }
        }
        segment.bits.withLock { $0 = best.bits }
        return best.coding
    }

    /// Counts of a sample may lack bytes that come elsewhere: every byte gets a chance.
    private func completed(_ counts: [[UInt64]], unless isComplete: Bool) -> [[UInt64]] {
        isComplete ? counts : counts.map { $0.map { $0 + 1 } }
    }

    /// The coding of a segment of which no measured cell moved.
    ///
    /// Others may have. If none has, it becomes a copy.
    private func stillCoding(_ dtype: DType) -> Segment.Coding {
        guard allowsRans else { return .planes(.xor, byteCodec ?? .zstd, nil) }
        guard dtype.floatLayout != nil else {
            let planes = [[UInt64]](repeating: [UInt64](repeating: 1, count: 256), count: dtype.elementBytes)
            return .planes(.xor, .rans, TablesChunk(PlaneTables(counts: planes)))
        }
        groups.withLock { $0[dtype, default: ResidualStatistics()].add(ResidualStatistics()) }
        return .exactInGroup
    }

    /// The tables of the groups, after the first pass.
    func groupCodings() -> [DType: Segment.Coding] {
        groups.withLock { groups in
            groups.reduce(into: [:]) { codings, group in
                guard let layout = group.key.floatLayout else { return }
                let plan = ResidualPlan(width: layout.width, for: group.value, isSample: options.samples)
                codings[group.key] = .exact(TablesChunk(plan))
            }
        }
    }
}
