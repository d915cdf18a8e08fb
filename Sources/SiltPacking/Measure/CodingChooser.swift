internal import DeltaCodecs
internal import DeltaKernels
internal import SiltFormat
internal import TensorTypes

/// Measures segments and decides how each is coded: by the bytes that the codings take on the data themselves.
///
/// The residual and the planes under rANS are counted exactly (their symbols are), byte codecs are tried on a sample of
/// cells.
struct CodingChooser: Sendable {
    /// Tensors with fewer elements share tables with others of their dtype.
    static let groupBelow = 32_768
    /// A byte codec is tried on one cell of so many, on at most so many of its elements.
    private static let sampleEvery = 32
    private static let sampleElements = 32_768

    /// What is chosen for a segment, with the bits that it takes, as estimated.
    enum Choice: Sendable {
        case own(Coding, bits: Double)
        /// The residual under the tables of its group, which exist after the pass.
        case group(bits: Double)
    }

    /// A run of elements that is measured: what `segment` has in `cell`.
    @safe struct Run {
        let segment: Segment
        let dtype: DType
        let cell: Int
        let result: UnsafeRawPointer
        let base: UnsafeRawPointer?
        let count: Int

        /// Where residuals may be coded.
        var layout: FloatLayout? { unsafe base == nil ? nil : dtype.floatLayout }
    }

    let level: Int
    /// Whether one cell in eight is measured.
    let samples: Bool
    let allowsRans: Bool
    /// The byte codec that competes, or stands alone.
    let byteCodec: Codec?

    init(_ options: PackOptions) {
        level = options.level
        samples = options.samples
        allowsRans = options.codec == .auto || options.codec == .rans
        switch options.codec {
        case .auto, .zstd: byteCodec = .zstd
        case .lz4: byteCodec = .lz4
        case .none: byteCodec = Codec.none
        case .rans: byteCodec = nil
        }
    }

    /// Adds a run to what is known of its segment; decides after the last one.
    func measure(_ run: Run, _ sums: MeasureSums, _ worker: MeasureWorker) {
        let width = run.dtype.elementBytes
        if let base = unsafe run.base, unsafe Bits.areEqual(run.result, base, bytes: run.count * width) {
            finishCell(run, sums) { $0.equalElements += run.count }
            return
        }
        // Where the residual is the likely winner, the others are only there to notice when it is not.
        let stride = samples ? Segment.sampleStride : 1
        let isTried =
            run.layout == nil || !allowsRans || run.cell / stride % (CodingChooser.sampleEvery / stride) == 0
        var whole: [[UInt64]]?
        var xor: [[UInt64]]?
        if allowsRans, isTried { whole = unsafe planes(run, nil) }
        if allowsRans, unsafe run.base != nil, run.layout == nil { xor = unsafe planes(run, run.base) }
        var sample = isTried ? self.sample(run, worker) : nil
        if allowsRans {
            measureResidual(run, run.count, worker) { layout, chunk in
                if sample?.elements == run.count {
                    var cell = ResidualStatistics()
                    cell.add(chunk)
                    sample?.residualBits = Int(cell.idealBits(width: layout.width))
                }
                sums.segments[run.segment.index].add { measure in
                    if measure.residual == nil { measure.residual = ResidualStatistics() }
                    measure.residual?.add(chunk)
                }
            }
        }
        finishCell(run, sums) { measure in
            measure.movedElements += run.count
            if let whole {
                SegmentMeasure.add(whole, to: &measure.wholePlanes)
                measure.wholeElements += run.count
            }
            if let xor { SegmentMeasure.add(xor, to: &measure.xorPlanes) }
            if let sample { measure.sample.add(sample) }
        }
    }

    private func finishCell(_ run: Run, _ sums: MeasureSums, _ update: (inout SegmentMeasure) -> Void) {
        let segment = sums.segments[run.segment.index]
        guard let measure = segment.finishCell(update) else { return }
        segment.choose(choose(run.segment, run.dtype, measure, sums))
    }

    private func planes(_ run: Run, _ base: UnsafeRawPointer?) -> [[UInt64]] {
        let width = run.dtype.elementBytes
        var counts = [[UInt64]](repeating: [UInt64](repeating: 0, count: 256), count: width)
        unsafe Planes.count(width: width, run.result, base: base, count: run.count, into: &counts)
        return counts
    }

    /// Measures the residual of the first `count` elements, where there is one.
    private func measureResidual(
        _ run: Run, _ count: Int, _ worker: MeasureWorker,
        _ body: (FloatLayout, ChunkMeasure) -> Void
    ) {
        guard let layout = run.layout, let base = unsafe run.base else { return }
        unsafe worker.residual.measure(
            layout, base: base, result: run.result, count: count, unit: run.segment.unit
        ) { body(layout, $0) }
    }

    /// Tries the byte codec, and measures the residual of the same elements.
    private func sample(_ run: Run, _ worker: MeasureWorker) -> SegmentMeasure.Sample? {
        guard let byteCodec else { return nil }
        // Tensors without a residual are rare and depend on the codec alone: all their elements are tried.
        let count = run.layout == nil ? run.count : min(run.count, CodingChooser.sampleElements)
        func bytes(_ base: UnsafeRawPointer?) -> Int {
            unsafe worker.bytes.encode(
                byteCodec, level: level, result: run.result, base: base, count: count,
                width: run.dtype.elementBytes
            ).count
        }
        var sample = SegmentMeasure.Sample()
        sample.elements = count
        sample.wholeBytes = bytes(nil)
        guard let base = unsafe run.base else { return sample }
        sample.xorBytes = unsafe bytes(base)
        // The residual of all elements is measured anyway.
        if allowsRans, count < run.count {
            var statistics = ResidualStatistics()
            var width = 0
            measureResidual(run, count, worker) { layout, chunk in
                statistics.add(chunk)
                width = layout.width
            }
            if width > 0 { sample.residualBits = Int(statistics.idealBits(width: width)) }
        }
        return sample
    }
}
