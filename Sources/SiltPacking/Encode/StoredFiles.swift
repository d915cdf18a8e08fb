internal import ByteSources
internal import SiltFormat
internal import TensorTypes

/// Which files that equal the base's are stored all the same: the smallest, as many as take about a hundredth of the delta, so that a base
/// whose card or configuration moves on still gives the model back.
///
/// Text compresses to three tenths; an exact delta takes a quarter of the tensors, a lossy one a hundredth and less.
struct StoredFiles {
    private let stored: Set<Int>
    private let measured: [Measured.Other]

    init(_ plan: PackPlan, isLossy: Bool) {
        measured = plan.measured.others
        var left = plan.input.tensors.reduce(0) { $0 + $1.info.bytes } / (isLossy ? 8_000 : 400)
        var stored: Set<Int> = []
        for file in plan.input.others.sorted(by: { ($0.input.size, $0.index) < ($1.input.size, $1.index) }) {
            left -= 3 * file.input.size / 10
            guard left >= 0 else { break }
            stored.insert(file.index)
        }
        self.stored = stored
    }

    /// Whether the file is a reference to the base's.
    func isReference(_ index: Int) -> Bool { measured[index].equalsBase && !stored.contains(index) }
}
