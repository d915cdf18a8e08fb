internal import Safetensors
internal import SiltFormat
internal import TensorTypes
internal import Workers

/// Finds what predicts tensors by sketches of their rows.
///
/// The rows of all candidates of the same length are sketched and indexed; every row of a tensor votes for the row that it is most like,
/// and runs of rows become runs of the base.
struct ContentMatcher: Sendable {
    /// Tensors are matched against rows of their own length only, and what is in memory is a sketch and five keys for each row.
    private let candidates: [Matcher.Candidate]
    private let context: WorkContext

    init(_ candidates: [Matcher.Candidate], _ context: WorkContext) {
        (self.candidates, self.context) = (candidates, context)
    }

    /// What predicts each tensor; nil where no row is related to any.
    func matches(_ tensors: [Checkpoint.Tensor]) throws(SiltError) -> [Matcher.Match?] {
        var result = [Matcher.Match?](repeating: nil, count: tensors.count)
        let shapes = tensors.map { RowShape($0.info) }
        let lengths = Set(shapes.compactMap { $0?.columns })
        // One length at a time: its index goes before the next one's comes.
        for columns in lengths.sorted() {
            let own = tensors.indices.filter { shapes[$0]?.columns == columns }
            let found = try matches(own.map { tensors[$0] }, columns: columns)
            for (index, match) in zip(own, found) { result[index] = match }
        }
        return result
    }

    private func matches(_ tensors: [Checkpoint.Tensor], columns: Int) throws(SiltError) -> [Matcher.Match?] {
        let candidates = candidates
        let indexed = candidates.indices.filter { RowShape(candidates[$0].tensor.info)?.columns == columns }
        guard !indexed.isEmpty else { return tensors.map { _ in nil } }
        let sketches = try sketches(of: indexed.map { candidates[$0].tensor })
        let index = RowIndex(sketches)
        return try context.pool.map(
            count: tensors.count, makeWorker: { SketchReader() },
            work: { (reader, place) throws(SiltError) in
                let tensor = tensors[place]
                guard let shape = RowShape(tensor.info) else { return nil }
                let runs = index.runs(of: try reader.sketches(of: tensor, shape))
                return ContentMatcher.match(runs, columns: columns, tensor, indexed, candidates)
            })
    }

    private func sketches(of tensors: [Checkpoint.Tensor]) throws(SiltError) -> [[Sketch]] {
        try context.pool.map(
            count: tensors.count, makeWorker: { SketchReader() },
            work: { (reader, index) throws(SiltError) in
                guard let shape = RowShape(tensors[index].info) else { return [] }
                return try reader.sketches(of: tensors[index], shape)
            })
    }

    /// Runs of rows as runs of elements; of too many, the longest.
    private static func match(
        _ rows: [RowRun], columns: Int, _ tensor: Checkpoint.Tensor, _ indexed: [Int], _ candidates: [Matcher.Candidate]
    ) -> Matcher.Match? {
        var kept = rows.filter { candidates[indexed[$0.tensor]].tensor.info.dtype.converts(to: tensor.info.dtype) }
        var least = 1
        while !fits(kept), least < tensor.info.elements {
            least *= 2
            kept = kept.filter { $0.rows.count >= least }
        }
        guard !kept.isEmpty else { return nil }
        var sources: [Int] = []
        var places: [Int: Int] = [:]
        var runs: [BaseRecord.Run] = []
        for run in kept {
            let candidate = indexed[run.tensor]
            let place = places[candidate] ?? sources.count
            if place == sources.count {
                sources.append(candidate)
                places[candidate] = place
            }
            let has = candidates[candidate].tensor.info.elements - run.first * columns
            let count = min(run.rows.count * columns, has)
            guard count > 0 else { continue }
            let start = run.rows.lowerBound * columns
            runs.append(BaseRecord.Run(start..<start + count, source: place, first: run.first * columns))
        }
        return Matcher.Match(sources: sources, runs: runs, isByContent: true)
    }

    /// Whether the format allows so many runs, sources and gaps.
    private static func fits(_ runs: [RowRun]) -> Bool {
        var (gaps, end) = (0, 0)
        for run in runs {
            if run.rows.lowerBound > end { gaps += 1 }
            end = run.rows.upperBound
        }
        return runs.count + gaps < BaseRecord.runLimit && Set(runs.map(\.tensor)).count <= BaseRecord.sourceLimit
            && 2 * gaps + 2 < TensorRecord.partLimit
    }
}
