internal import DeltaCodecs
internal import SiltReading
internal import Synchronization
internal import TensorTypes

/// What the workers of the first pass add up; it ends with the pass.
final class MeasureSums: Sendable {
    /// A segment until its last cell is measured, and what was chosen then.
    final class Segment: Sendable {
        private struct State {
            var cellsLeft: Int
            var measure = SegmentMeasure()
            var choice: CodingChooser.Choice?
        }

        private let state: Mutex<State>

        init(cells: Int) { state = Mutex(State(cellsLeft: cells)) }

        /// Adds a part of a cell.
        func add(_ update: (inout SegmentMeasure) -> Void) { state.withLock { update(&$0.measure) } }

        /// Adds what is left of a cell; gives the sums after the last one.
        func finishCell(_ update: (inout SegmentMeasure) -> Void) -> SegmentMeasure? {
            state.withLock { state in
                update(&state.measure)
                state.cellsLeft -= 1
                guard state.cellsLeft == 0 else { return nil }
                defer { state.measure = SegmentMeasure() }
                return state.measure
            }
        }

        func choose(_ choice: CodingChooser.Choice) { state.withLock { $0.choice = choice } }

        /// What was chosen; nil while cells are missing.
        var choice: CodingChooser.Choice? { state.withLock { $0.choice } }
    }

    let segments: [Segment]
    /// By tensor and by base tensor; none where cells are sampled.
    let digests: [DigestSlots], bases: [DigestSlots]
    private let isSample: Bool
    private let groups = Mutex<[DType: ResidualStatistics]>([:])
    private let nonFinite = Mutex<Set<Int>>([])
    private let others: Mutex<[Measured.Other?]>

    init(_ input: PackInput, sampling: Bool) {
        isSample = sampling
        segments = input.tensors.flatMap { tensor in
            tensor.segments.map { segment in
                Segment(cells: segment.cells.count { segment.measures($0, sampling: sampling) })
            }
        }
        digests = sampling ? [] : input.tensors.map { DigestSlots($0.grid.count) }
        bases = sampling ? [] : input.bases.map { DigestSlots($0.grid.count) }
        others = Mutex(Array(repeating: nil, count: input.others.count))
    }

    /// Adds a segment to the small ones of its dtype.
    func addToGroup(_ dtype: DType, _ statistics: ResidualStatistics) {
        groups.withLock { $0[dtype, default: ResidualStatistics()].add(statistics) }
    }

    func addNonFinite(_ tensor: PackTensor) { _ = nonFinite.withLock { $0.insert(tensor.index) } }

    func add(_ other: Measured.Other, _ index: Int) { others.withLock { $0[index] = other } }

    /// What was found, once every worker is done.
    func measured(_ input: PackInput) throws(SiltError) -> Measured {
        let groups = groups.withLock { $0 }
        var tables: [DType: TablesChunk] = [:]
        for (dtype, statistics) in groups {
            guard let layout = dtype.floatLayout else { throw SiltError.fault("a group of tensors has no floats") }
            tables[dtype] = TablesChunk(ResidualPlan(width: layout.width, for: statistics, isSample: isSample))
        }
        let nonFinite = nonFinite.withLock { $0 }
        var tensors: [Measured.Tensor] = []
        tensors.reserveCapacity(input.tensors.count)
        for tensor in input.tensors {
            var found: [Measured.Segment] = []
            for segment in tensor.segments {
                switch segments[segment.index].choice {
                case .own(let coding, let bits): found.append(Measured.Segment(coding: coding, bits: bits))
                case .group(let bits):
                    guard let tables = tables[tensor.info.dtype] else { throw tensor.fault("a group has no tables") }
                    found.append(Measured.Segment(coding: .exact(tables), bits: bits))
                case nil: throw tensor.fault("not every cell was measured")
                }
            }
            tensors.append(
                Measured.Tensor(
                    segments: found,
                    digests: isSample
                        ? .pending : .known(try digests[(tensor.twin ?? tensor).index].all(tensor.grid.count)),
                    isFinite: !nonFinite.contains(tensor.index)))
        }
        var bases: [Measured.CellDigests] = []
        for base in input.bases {
            bases.append(isSample ? .pending : .known(try self.bases[base.index].all(base.grid.count)))
        }
        let others = others.withLock { $0.compactMap { $0 } }
        guard others.count == input.others.count else { throw SiltError.fault("not every file was read") }
        return Measured(tensors: tensors, others: others, bases: bases, isSample: isSample)
    }
}

extension DigestSlots {
    /// The digests of all `count` pieces.
    func all(_ count: Int) throws(SiltError) -> [Digest128] {
        let digests = (0..<count).compactMap { self[$0] }
        guard digests.count == count else { throw SiltError.fault("not everything was read") }
        return digests
    }
}
