internal import Logging
package import Safetensors
package import SiltFormat
package import TensorTypes
package import Workers

/// Finds what predicts the tensors of a fine-tuned checkpoint: by the path of their file and their names, by canonical names, then, for
/// what is left, by content.
///
/// Names decide nothing against the content: where a tensor has nothing in common with the one of its name, and something with
/// another, that one predicts it.
package struct Matcher: Sendable {
    /// A tensor that may predict.
    package struct Candidate: Sendable {
        package let tensor: Checkpoint.Tensor
        /// The file of the base directory that has it; nil: it is a tensor of the base's model.
        package let file: String?

        package init(_ tensor: Checkpoint.Tensor, file: String?) { (self.tensor, self.file) = (tensor, file) }
    }

    /// A tensor that is to be predicted.
    package struct Target: Sendable {
        package let tensor: Checkpoint.Tensor
        /// Path of its file in its directory.
        package let file: String

        package init(_ tensor: Checkpoint.Tensor, file: String) { (self.tensor, self.file) = (tensor, file) }
    }

    /// What predicts a target: runs whose sources are candidates.
    package struct Match: Sendable, Hashable {
        /// Indices of candidates, each of which a run uses.
        package let sources: [Int]
        package let runs: [BaseRecord.Run]
        /// Whether the content decided.
        package let isByContent: Bool
    }

    private let candidates: [Candidate]
    private let context: WorkContext

    package init(_ candidates: [Candidate], _ context: WorkContext) {
        (self.candidates, self.context) = (candidates, context)
    }

    /// What predicts each target; nil where nothing does.
    ///
    /// - Throws: what reading throws.
    package func matches(_ targets: [Target]) throws(SiltError) -> [Match?] {
        let names = CandidateNames(candidates)
        var named = targets.map { names.match($0) }
        let shares = try relatedShares(targets, named)
        var asked: [Int] = []
        // In smaller ones chance finds what is not there.
        for (index, target) in targets.enumerated()
        where target.tensor.info.elements >= Sketch.elements && RowShape(target.tensor.info) != nil {
            guard let share = shares[index] else {
                if named[index] == nil { asked.append(index) }
                continue
            }
            if share < Matcher.enough { asked.append(index) }
        }
        let found = try ContentMatcher(candidates, context).matches(asked.map { targets[$0].tensor })
        for (index, match) in zip(asked, found) {
            guard let match else { continue }
            guard let name = named[index] else {
                named[index] = match
                continue
            }
            // A name gives way only to what predicts nearly everything, far more than it does, and mostly by something else.
            func elements(_ runs: [BaseRecord.Run]) -> Double { Double(runs.reduce(0) { $0 + $1.elements.count }) }
            let share = elements(match.runs) / Double(max(1, targets[index].tensor.info.elements))
            let same = match.runs.filter {
                match.sources[$0.source] == name.sources[0] && $0.first == $0.elements.lowerBound
            }
            if share >= Matcher.nearlyAll, share > 1.5 * (shares[index] ?? 0), 2 * elements(same) < elements(match.runs)
            {
                named[index] = match
            }
        }
        return named
    }

    /// A tensor of whose samples fewer are related to the one of its name is looked for elsewhere.
    private static let enough = 0.7
    /// The share of its elements that another must predict.
    private static let nearlyAll = 0.9
    /// Places of a tensor that are compared.
    private static let samples = 8

    /// The share of samples in which a target and what its name found are related; nil where nothing can be said.
    private func relatedShares(_ targets: [Target], _ named: [Match?]) throws(SiltError) -> [Double?] {
        let candidates = candidates
        return try context.pool.map(
            count: targets.count, makeWorker: { (SketchReader(), SketchReader()) },
            work: { (readers, index) throws(SiltError) in
                guard let match = named[index], let run = match.runs.first else { return nil }
                let (target, base) = (targets[index].tensor, candidates[match.sources[run.source]].tensor)
                guard target.info.dtype.isPredictable, base.info.dtype.isPredictable else { return nil }
                let count = min(Sketch.elements, run.elements.count)
                guard count >= Sketch.group else { return nil }
                let places = run.elements.count / count
                var (related, asked) = (0, 0)
                for sample in 0..<min(Matcher.samples, places) {
                    let start =
                        run.elements.lowerBound + (2 * sample + 1) * places / (2 * min(Matcher.samples, places)) * count
                    let elements = start..<start + count
                    let own = try unsafe Sketch(readers.0.read(target, elements), target.info.dtype, count: count)
                    let other = try unsafe Sketch(
                        readers.1.read(base, run.places(of: elements)), base.info.dtype, count: count)
                    // Fewer codes say nothing.
                    guard own.compare(other).both >= 4 else { continue }
                    asked += 1
                    if own.isRelated(to: other) { related += 1 }
                }
                return asked == 0 ? nil : Double(related) / Double(asked)
            })
    }
}

/// The candidates by name: first those of the file with the same path, then the model's.
private struct CandidateNames {
    private struct Names {
        let matcher: NameMatcher
        let indices: [ByteName: Int]
    }

    private let candidates: [Matcher.Candidate]
    private let model: Names
    private var files: [ByteName: Names] = [:]

    init(_ candidates: [Matcher.Candidate]) {
        self.candidates = candidates
        func names(_ indices: [Int]) -> Names {
            Names(
                matcher: NameMatcher(indices.map { candidates[$0].tensor }),
                indices: Dictionary(
                    indices.map { (ByteName(candidates[$0].tensor.name), $0) }, uniquingKeysWith: { first, _ in first })
            )
        }
        model = names(candidates.indices.filter { candidates[$0].file == nil })
        let others = candidates.indices.filter { candidates[$0].file != nil }
        for (file, indices) in Dictionary(grouping: others, by: { ByteName(candidates[$0].file ?? "") }) {
            files[file] = names(indices)
        }
    }

    func match(_ target: Matcher.Target) -> Matcher.Match? {
        let info = target.tensor.info
        for names in [files[ByteName(target.file)], model] {
            guard let names, let found = names.matcher.match(target.tensor.name, info),
                let index = names.indices[ByteName(found.name)]
            else { continue }
            let runs = BaseRecord.plainRuns(found.info.elements, info.elements)
            return runs.isEmpty ? nil : Matcher.Match(sources: [index], runs: runs, isByContent: false)
        }
        return nil
    }
}
