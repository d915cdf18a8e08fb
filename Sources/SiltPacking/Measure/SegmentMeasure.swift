internal import DeltaCodecs
internal import TensorTypes

/// What is known of a segment: enough to know the bytes that every coding would take.
struct SegmentMeasure: Sendable {
    /// Elements of cells that equal the base; they cost nothing.
    var equalElements = 0
    /// Elements of the other cells.
    var movedElements = 0
    /// The residual of moved cells.
    var residual: ResidualStatistics?
    /// Byte counts of the planes, xor the base and as they are.
    var xorPlanes: [[UInt64]] = []
    var wholePlanes: [[UInt64]] = []
    /// Elements that `wholePlanes` has counted.
    ///
    /// Where the residual is the likely winner only some cells are.
    var wholeElements = 0
    /// What was tried on some of the elements.
    var sample = Sample()

    /// A trial of the byte codec: its bytes, and the bits of the residual for the same elements.
    struct Sample: Sendable {
        var elements = 0
        var xorBytes = 0
        var wholeBytes = 0
        /// A whole number, so that the sum does not depend on which thread adds first.
        var residualBits = 0

        mutating func add(_ other: Sample) {
            elements += other.elements
            xorBytes += other.xorBytes
            wholeBytes += other.wholeBytes
            residualBits += other.residualBits
        }
    }

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
