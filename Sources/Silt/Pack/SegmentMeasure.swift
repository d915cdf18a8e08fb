internal import DeltaCodecs
internal import TensorTypes

/// What the first pass has seen of a segment: enough to know the bytes that every coding would take.
struct SegmentMeasure: Sendable {
    /// Cells that are not measured yet.
    var cellsLeft: Int
    /// Elements of cells that equal the base; they cost nothing.
    var equalElements = 0
    /// Elements of the other cells.
    var movedElements = 0
    /// The residual of moved cells.
    var residual: ResidualStatistics?
    /// Byte counts of the planes, xor the base and as they are, of `countedElements`.
    var xorPlanes: [[UInt64]] = []
    var wholePlanes: [[UInt64]] = []
    /// Elements that `wholePlanes` has counted. Where the residual is the likely winner only some cells are.
    var wholeElements = 0
    /// Elements whose planes a byte codec was tried on, its bytes, and the bits of the residual for the same elements.
    var sampledElements = 0
    var sampledXorBytes = 0
    var sampledWholeBytes = 0
    var sampledResidualBits = 0.0

    init(cells: Int) { cellsLeft = cells }

    /// Adds counts of planes to a sum that may still be empty.
    static func add(_ counts: [[UInt64]], to sum: inout [[UInt64]]) {
        if sum.isEmpty {
            sum = counts
        } else {
            for plane in counts.indices {
                for value in 0..<256 { sum[plane][value] += counts[plane][value] }
            }
        }
    }
}
