package import TensorTypes

/// What is left of a run of elements after a fine-tune: where the largest of each 16 neighbours stands, and its sign.
///
/// At most 16 groups of 16 elements, each 5 bits. Of two runs whose weights are related most groups agree (.82 and more after a long
/// fine-tune, .95 after a short one); of unrelated ones one in 32. A group has no code if its largest magnitude is 0, if two
/// elements share it, or if one is a NaN: codes say nothing there. BF16 weights that are kept as F32 have the same sketch.
package struct Sketch: Sendable, Hashable {
    /// Elements of a group.
    package static let group = 16
    /// Groups of a sketch at most.
    package static let groups = 16
    /// Elements of a sketch at most.
    package static let elements = group * groups

    /// Four bits for each group, the first one's lowest: the place of the largest.
    private var places: UInt64 = 0
    /// A bit for each group: the sign of the largest.
    private var signs: UInt16 = 0
    /// A bit for each group that has a code.
    private var valid: UInt16 = 0

    /// The sketch of `count` elements of F32, F16 or BF16: of all whole groups if there are at most 16, else of 16 that are spread
    /// evenly.
    package init(_ elements: UnsafeRawPointer, _ dtype: DType, count: Int) {
        let all = count / Sketch.group
        let groups = min(Sketch.groups, all)
        for group in 0..<groups {
            let place = all <= Sketch.groups ? group : group * (all - 1) / (Sketch.groups - 1)
            switch dtype {
            case .f32:
                let start = unsafe elements.assumingMemoryBound(to: UInt32.self) + place * Sketch.group
                unsafe add(start, group, infinity: 0x7F80_0000)
            case .bf16:
                let start = unsafe elements.assumingMemoryBound(to: UInt16.self) + place * Sketch.group
                unsafe add(start, group, infinity: 0x7F80)
            case .f16:
                let start = unsafe elements.assumingMemoryBound(to: UInt16.self) + place * Sketch.group
                unsafe add(start, group, infinity: 0x7C00)
            default: break
            }
        }
    }

    /// Patterns without their sign are ordered as magnitudes are, and NaNs come after infinity.
    private mutating func add<Pattern: FixedWidthInteger & UnsignedInteger>(
        _ patterns: UnsafePointer<Pattern>, _ group: Int, infinity: Pattern
    ) {
        let mask = Pattern.max >> 1
        var (largest, place, isShared) = (Pattern(0), 0, false)
        for index in 0..<Sketch.group {
            let magnitude = unsafe patterns[index] & mask
            if magnitude > infinity { return }
            if magnitude > largest {
                (largest, place, isShared) = (magnitude, index, false)
            } else if magnitude == largest {
                isShared = true
            }
        }
        guard largest > 0, !isShared else { return }
        places |= UInt64(place) << (4 * group)
        if unsafe patterns[place] > mask { signs |= 1 << group }
        valid |= 1 << group
    }

    /// How many groups have a code.
    package var codes: Int { valid.nonzeroBitCount }

    /// In how many groups both have a code, and in how many of these it is the same.
    package func compare(_ other: Sketch) -> (both: Int, equal: Int) {
        let both = valid & other.valid
        let difference = places ^ other.places
        var equal: UInt16 = 0
        for group in 0..<Sketch.groups where difference >> (4 * group) & 15 == 0 { equal |= 1 << group }
        return (both.nonzeroBitCount, (both & equal & ~(signs ^ other.signs)).nonzeroBitCount)
    }

    /// Whether the weights are related: at least three codes are the same, and two in five of those that both have.
    package func isRelated(to other: Sketch) -> Bool {
        let (both, equal) = compare(other)
        return equal >= 3 && 5 * equal >= 2 * both
    }

    /// Keys under which a related run is found: each of three neighbouring groups that have codes.
    var keys: [UInt32] {
        var keys: [UInt32] = []
        for first in stride(from: 0, through: Sketch.groups - 3, by: 3) where valid >> first & 7 == 7 {
            let places = UInt32(truncatingIfNeeded: places >> (4 * first)) & 0xFFF
            keys.append(places | UInt32(signs >> first & 7) << 12 | UInt32(first) << 16)
        }
        return keys
    }
}
