/// What a plan recommends, in words.
enum PlanAdvice {
    /// DARE's own bound: its random drop works where deltas are smaller (reference in Docs/Lossy.md).
    private static let dareLimit = 0.002

    static func sentences(
        _ candidates: [PlanReport.Candidate], _ groups: [PlanReport.Group], fineTunedBytes: Int
    ) -> [String] {
        guard let exact = candidates.first, !groups.isEmpty else {
            return [
                "No float tensor has a counterpart in the base; silt inspect shows how an exact pack stores them."
            ]
        }
        let lossy = candidates.dropFirst()
        let moved = groups.filter { $0.unchanged < 1 }
        guard !moved.isEmpty else { return ["Nothing changed: an exact delta is all there is to store."] }
        var sentences: [String] = []
        let smaller = lossy.filter { $0.bytes < exact.bytes }.sorted { $0.bytes < $1.bytes }
        if smaller.isEmpty {
            sentences.append(
                "Recommended: exact (silt pack without --method). It is smaller than every lossy file tried, and loses nothing."
            )
            return sentences
        }
        // Whoever accepts a loss wants a good deal smaller a file for it.
        let worth = smaller.filter { Double($0.bytes) < 0.7 * Double(exact.bytes) }
        let best = worth.min { $0.relativeL2 < $1.relativeL2 } ?? smaller[0]
        if worth.isEmpty {
            sentences.append(
                "Recommended: exact. The smallest lossy file tried is only \(percent(exact.bytes - smaller[0].bytes, of: exact.bytes)) % smaller."
            )
        } else {
            sentences.append(
                "Recommended if every bit counts: exact, \(ratio(fineTunedBytes, exact.bytes)) x smaller than the files."
            )
            sentences.append(
                "Recommended if an approximation is enough: \(best.options), \(ratio(fineTunedBytes, best.bytes)) x smaller, the least "
                    + "error of those that are at least 30 % smaller than exact.")
        }
        let larger = lossy.filter { $0.bytes >= exact.bytes }.map(\.options)
        if !larger.isEmpty {
            sentences.append("Larger than the exact delta, hence pointless here: \(larger.joined(separator: "; ")).")
        }
        let large = moved.filter { $0.deviation > dareLimit }.reduce(0) { $0 + $1.parameters }
        let all = moved.reduce(0) { $0 + $1.parameters }
        if 4 * large > all {
            sentences.append(
                "Deltas are large (standard deviation above \(dareLimit) in \(percent(large, of: all)) % of the values): "
                    + "random drop at high rates is risky; prefer transform, magnitude or sign, and check the task's metric."
            )
        }
        sentences.append("A small L2 error does not guarantee accuracy: evaluate a lossy model on its task.")
        return sentences
    }

    private static func ratio(_ a: Int, _ b: Int) -> String { rounded(Double(a) / Double(max(1, b))) }

    private static func percent(_ part: Int, of whole: Int) -> String {
        rounded(100 * Double(part) / Double(max(1, whole)))
    }

    private static func rounded(_ value: Double) -> String {
        let tenths = Int((10 * value).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
