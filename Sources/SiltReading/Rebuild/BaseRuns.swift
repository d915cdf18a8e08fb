package import Safetensors
package import SiltFormat
package import TensorTypes

/// What predicts a tensor, as runs of elements of the base's tensors.
package struct BaseRuns: Sendable {
    /// Elements that consecutive elements of a tensor predict.
    package struct Run: Sendable {
        package let elements: Range<Int>
        package let tensor: Checkpoint.Tensor
        /// The tensor's element that predicts the first one.
        package let first: Int

        package init(_ elements: Range<Int>, _ tensor: Checkpoint.Tensor, first: Int) {
            (self.elements, self.tensor, self.first) = (elements, tensor, first)
        }

        /// The elements of the tensor that predict `elements`, which the run has.
        package func places(of elements: Range<Int>) -> Range<Int> {
            let start = first + elements.lowerBound - self.elements.lowerBound
            return start..<start + elements.count
        }
    }

    /// Ascending.
    package let runs: [Run]

    package init(_ runs: [Run]) { self.runs = runs }

    /// The elements at their own indices, as many as both have.
    package init(_ tensor: Checkpoint.Tensor, predicting info: TensorInfo) {
        let count = min(tensor.info.elements, info.elements)
        runs = count == 0 ? [] : [Run(0..<count, tensor, first: 0)]
    }

    /// How many elements are predicted from the first on, without a gap.
    package var knownElements: Int {
        var end = 0
        for run in runs {
            guard run.elements.lowerBound == end else { break }
            end = run.elements.upperBound
        }
        return end
    }

    /// The runs that have some of `elements`.
    package func touching(_ elements: Range<Int>) -> Range<Int> {
        guard runs.count > 1 else {
            return runs.isEmpty || runs[0].elements.clamped(to: elements).isEmpty ? 0..<0 : 0..<1
        }
        func first(where isBehind: (Run) -> Bool) -> Int {
            var (low, high) = (0, runs.count)
            while low < high {
                let middle = (low + high) / 2
                if isBehind(runs[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let start = first { $0.elements.upperBound > elements.lowerBound }
        return start..<max(start, first { $0.elements.lowerBound >= elements.upperBound })
    }

    /// What predicts the tensor `record`, as a file says it; where another tensor of the result does, what predicts that one.
    ///
    /// - Throws: `baseMissing`, `baseDType` or `baseShape`.
    package init(
        _ record: TensorRecord, _ binding: BaseBinding, result: (Int) -> TensorRecord
    ) throws(SiltError) {
        var runs: [Run] = []
        for run in record.base?.runs ?? [] {
            guard let source = record.base?.sources[run.source] else { continue }
            switch source {
            case .base(let base): runs.append(Run(run.elements, try binding.tensor(base), first: run.first))
            case .result(let source):
                let places = run.places(of: run.elements)
                for inner in try BaseRuns(result(source.index), binding, result: result).runs {
                    let piece = inner.elements.clamped(to: places)
                    guard !piece.isEmpty else { continue }
                    let start = run.elements.lowerBound + piece.lowerBound - places.lowerBound
                    runs.append(
                        Run(start..<start + piece.count, inner.tensor, first: inner.places(of: piece).lowerBound))
                }
            }
        }
        self.init(runs)
    }
}

extension Manifest {
    /// What predicts each tensor of the result, in their order; nil where the base lacks it.
    package func baseRuns(_ binding: BaseBinding) -> [BaseRuns?] {
        let records = tensors
        return records.map { try? BaseRuns($0, binding) { records[$0] } }
    }
}

extension CellReader {
    /// Reads what predicts `elements`, as `dtype`: from one place where it is, else gathered from several; what nothing predicts is
    /// whatever was there.
    ///
    /// - Returns: the patterns, valid until the next call.
    package func read(
        _ base: BaseRuns, _ elements: Range<Int>, as dtype: DType
    ) throws(SiltError) -> UnsafeRawPointer {
        let touched = base.touching(elements)
        if touched.count == 1 {
            let run = base.runs[touched.lowerBound]
            if run.elements.clamped(to: elements) == elements {
                return try unsafe read(run.tensor, run.places(of: elements), as: dtype, hashing: false).patterns
            }
        }
        let width = dtype.elementBytes
        gathered.reserve(elements.count * width)
        for run in base.runs[touched] {
            let piece = run.elements.clamped(to: elements)
            let patterns = try unsafe read(run.tensor, run.places(of: piece), as: dtype, hashing: false).patterns
            unsafe (gathered.start + (piece.lowerBound - elements.lowerBound) * width)
                .copyMemory(from: patterns, byteCount: piece.count * width)
        }
        return unsafe UnsafeRawPointer(gathered.start)
    }
}
