internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// The tensors of a result, each made once, in the order in which sources need them.
struct TensorRebuilds {
    private let binding: BaseBinding
    private let bases: BaseTensors
    /// By their place among all tensors of the result.
    private let records: [(file: Int, record: TensorRecord)]
    private var known: [Int: TensorRebuild] = [:]

    init(_ manifest: Manifest, _ binding: BaseBinding) {
        self.binding = binding
        bases = BaseTensors(binding)
        records = manifest.files.enumerated().flatMap { index, file in
            guard case .safetensors(_, let records) = file.content else { return [(file: Int, record: TensorRecord)]() }
            return records.map { (index, $0) }
        }
    }

    /// The tensor with this place among all of the result.
    ///
    /// - Throws: `baseMissing`, `baseDType` or `baseShape`.
    mutating func rebuild(_ index: Int) throws(SiltError) -> TensorRebuild {
        if let found = known[index] { return found }
        let (file, record) = records[index]
        var base: TensorBase?
        if let own = record.base {
            // Sources in the result have none there themselves, so this ends.
            base = try TensorBase(own, bases) { index throws(SiltError) in try rebuild(index) }
        }
        let made = TensorRebuild(record, file: file, base: base)
        known[index] = made
        return made
    }
}

extension Rebuilder {
    /// A tensor whose cells any worker does.
    ///
    /// Whoever brings the last that its judgement needs, be it a cell of its own or of a base
    /// tensor, judges it.
    final class TensorTask: Sendable {
        let rebuild: TensorRebuild
        fileprivate let bases: Mutex<[BaseTask]>
        private let cellsLeft: Atomic<Int>
        /// Its own cells together, and each base tensor.
        private let waitsFor: Atomic<Int>
        /// The first chunk that did not decode.
        private let failure = Mutex<SiltError?>(nil)

        fileprivate init(_ rebuild: TensorRebuild, bases: [BaseTask]) {
            self.rebuild = rebuild
            self.bases = Mutex(bases)
            cellsLeft = Atomic(rebuild.record.info.grid.count)
            waitsFor = Atomic(1 + bases.count)
        }

        func fail(_ error: SiltError) { failure.withLock { if $0 == nil { $0 = error } } }

        /// After each cell.
        func finishCell(_ binding: BaseBinding, _ verdict: Verdict) throws(SiltError) {
            guard cellsLeft.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
            for base in bases.withLock({ $0 }) { try base.finishJob(binding, verdict) }
            try arrive(binding, verdict)
        }

        fileprivate func arrive(_ binding: BaseBinding, _ verdict: Verdict) throws(SiltError) {
            guard waitsFor.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
            do throws(SiltError) {
                try rebuild.judge(binding, failure: failure.withLock { $0 })
            } catch  where error.isVerdict {
                try verdict(error)
            }
        }
    }

    /// A base tensor whose cells are read with those of the tensors that it predicts, or by themselves.
    final class BaseTask: Sendable {
        let tensor: BaseTensor
        private let state: Mutex<(dependents: [TensorTask], jobsLeft: Int)>

        fileprivate init(_ tensor: BaseTensor) {
            self.tensor = tensor
            state = Mutex(([], 0))
        }

        fileprivate func expect(_ jobs: Int) { state.withLock { $0.jobsLeft += jobs } }

        fileprivate func add(_ task: TensorTask) {
            state.withLock { state in
                state.dependents.append(task)
                state.jobsLeft += 1
            }
        }

        /// After each cell that is read by itself, and after the last cell of each tensor that it predicts.
        func finishJob(_ binding: BaseBinding, _ verdict: Verdict) throws(SiltError) {
            let ready = state.withLock { state in
                state.jobsLeft -= 1
                return state.jobsLeft == 0 ? state.dependents : []
            }
            for task in ready { try task.arrive(binding, verdict) }
        }
    }

    /// Tensors that are to be rebuilt, and the base tensors that they share.
    struct TensorTasks {
        /// A base tensor after the last tensor that it predicts.
        typealias LooseBase = (task: BaseTask, looseCells: [Int])

        private var tasks: [(task: TensorTask, bases: [Int])] = []
        private var bases: [BaseTask] = []
        /// Index of the last task that needs each of them.
        private var last: [Int] = []
        private var places: [ObjectIdentifier: Int] = [:]

        mutating func add(_ rebuild: TensorRebuild) {
            guard rebuild.record.info.grid.count > 0 else { return }
            var own: [Int] = []
            var seen: Set<ObjectIdentifier> = []
            for tensor in rebuild.base?.baseTensors ?? [] where seen.insert(ObjectIdentifier(tensor)).inserted {
                let place = places[ObjectIdentifier(tensor)] ?? bases.count
                if place == bases.count {
                    bases.append(BaseTask(tensor))
                    last.append(0)
                    places[ObjectIdentifier(tensor)] = place
                }
                last[place] = tasks.count
                own.append(place)
            }
            let task = TensorTask(rebuild, bases: own.map { bases[$0] })
            for place in own { bases[place].add(task) }
            tasks.append((task, own))
        }

        /// The tensors in order, each with the base tensors that no later one needs.
        func entries() throws(SiltError) -> [(task: TensorTask, bases: [LooseBase])] {
            var covered = bases.map { [Bool](repeating: false, count: $0.tensor.tensor.info.grid.count) }
            var result: [(task: TensorTask, bases: [LooseBase])] = []
            result.reserveCapacity(tasks.count)
            for (index, (task, own)) in tasks.enumerated() {
                for cell in 0..<task.rebuild.record.info.grid.count {
                    try task.rebuild.forEachBaseRange(cell) { tensor, elements in
                        guard let place = places[ObjectIdentifier(tensor)], let cell = tensor.cell(elements) else {
                            return
                        }
                        covered[place][cell] = true
                    }
                }
                var ended: [LooseBase] = []
                for place in own where last[place] == index {
                    let loose = covered[place].indices.filter { !covered[place][$0] }
                    bases[place].expect(loose.count)
                    ended.append((bases[place], loose))
                    covered[place] = []
                }
                result.append((task, ended))
            }
            return result
        }
    }
}
