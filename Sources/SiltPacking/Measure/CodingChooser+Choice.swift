internal import DeltaCodecs
internal import SiltFormat
internal import TensorTypes

extension CodingChooser {
    /// The best of what was offered so far.
    private struct Offers {
        var best: (bits: Double, choice: Choice)?

        mutating func offer(_ bits: Double, _ choice: @autoclosure () -> Choice) {
            if best.map({ bits < $0.bits }) ?? true { best = (bits, choice()) }
        }

        mutating func offer(_ bits: Double, _ coding: @autoclosure () -> Coding) {
            offer(bits, .own(coding(), bits: bits))
        }
    }

    /// The coding with the fewest bytes.
    func choose(_ segment: Segment, _ dtype: DType, _ measure: SegmentMeasure, _ sums: MeasureSums) -> Choice {
        let isWhole = segment.isMeasuredWhole(sampling: samples)
        if segment.hasBase, measure.movedElements == 0 {
            return isWhole ? .own(.copy, bits: 0) : stillCoding(dtype, sums)
        }
        // What was seen stands for the whole segment.
        let seen = measure.equalElements + measure.movedElements
        let share = Double(segment.elements.count) / Double(max(seen, 1))
        var offers = Offers()
        let residualBits = offerResidual(segment, dtype, measure, share, isWhole, &offers)
        offerPlanes(segment, measure, share, isWhole, &offers)
        if let byteCodec {
            offerBytes(byteCodec, segment, measure, share, residualBits, &offers)
        }
        guard let best = offers.best else {
            // No sampled cell moved and only a byte codec is allowed: the cheapest guess.
            return .own(.planes(segment.hasBase ? .xor : .whole, byteCodec ?? .zstd, nil), bits: 0)
        }
        if case .group = best.choice, let residual = measure.residual { sums.addToGroup(dtype, residual) }
        return best.choice
    }

    /// Offers the residual; gives its bits, if there is one.
    private func offerResidual(
        _ segment: Segment, _ dtype: DType, _ measure: SegmentMeasure, _ share: Double, _ isWhole: Bool,
        _ offers: inout Offers
    ) -> Double? {
        guard let residual = measure.residual, let layout = dtype.floatLayout else { return nil }
        guard segment.elements.count >= CodingChooser.groupBelow else {
            let bits = residual.idealBits(width: layout.width)
            offers.offer(bits, .group(bits: bits))
            return bits
        }
        let plan = ResidualPlan(width: layout.width, for: residual, isSample: !isWhole)
        let tables = TablesChunk(plan)
        let bits = plan.bits(for: residual) * share + Double(8 * tables.bytes.count)
        offers.offer(bits, Coding.exact(tables))
        return bits
    }

    /// Offers the planes under tables.
    private func offerPlanes(
        _ segment: Segment, _ measure: SegmentMeasure, _ share: Double, _ isWhole: Bool, _ offers: inout Offers
    ) {
        if !measure.xorPlanes.isEmpty {
            let tables = PlaneTables(counts: completed(measure.xorPlanes, unless: isWhole))
            offers.offer(
                tables.bits(for: measure.xorPlanes) * share, Coding.planes(.xor, .rans, TablesChunk(tables)))
        }
        if !measure.wholePlanes.isEmpty {
            // Cells that equal the base are free for the others, not for `whole`.
            let counts = completed(measure.wholePlanes, unless: measure.wholeElements == segment.elements.count)
            let tables = PlaneTables(counts: counts)
            let scale = Double(segment.elements.count) / Double(measure.wholeElements)
            offers.offer(tables.bits(for: counts) * scale, Coding.planes(.whole, .rans, TablesChunk(tables)))
        }
    }

    /// Offers the planes under the byte codec, as far as it was tried.
    private func offerBytes(
        _ codec: Codec, _ segment: Segment, _ measure: SegmentMeasure, _ share: Double, _ residualBits: Double?,
        _ offers: inout Offers
    ) {
        let sample = measure.sample
        guard sample.elements > 0 else { return }
        let scale = 8 / Double(sample.elements)
        if segment.hasBase {
            // Cells move by very different amounts, and a sample need not be typical: what it shows is how the codec
            // compares with the residual on the same cells.
            let bits: Double
            if let residualBits, sample.residualBits > 0 {
                bits = residualBits * Double(8 * sample.xorBytes) / Double(sample.residualBits)
            } else {
                bits = Double(sample.xorBytes) * scale * Double(measure.movedElements) * share
            }
            offers.offer(bits, Coding.planes(.xor, codec, nil))
        }
        offers.offer(
            Double(sample.wholeBytes) * scale * Double(segment.elements.count), Coding.planes(.whole, codec, nil))
    }

    /// Counts of a sample may lack bytes that come elsewhere: every byte gets a chance.
    private func completed(_ counts: [[UInt64]], unless isComplete: Bool) -> [[UInt64]] {
        isComplete ? counts : counts.map { $0.map { $0 + 1 } }
    }

    /// The coding of a segment of which no measured cell moved.
    ///
    /// Others may have. If none has, it becomes a copy.
    private func stillCoding(_ dtype: DType, _ sums: MeasureSums) -> Choice {
        guard allowsRans else { return .own(.planes(.xor, byteCodec ?? .zstd, nil), bits: 0) }
        guard dtype.floatLayout != nil else {
            let planes = [[UInt64]](repeating: [UInt64](repeating: 1, count: 256), count: dtype.elementBytes)
            return .own(.planes(.xor, .rans, TablesChunk(PlaneTables(counts: planes))), bits: 0)
        }
        sums.addToGroup(dtype, ResidualStatistics())
        return .group(bits: 0)
    }
}
