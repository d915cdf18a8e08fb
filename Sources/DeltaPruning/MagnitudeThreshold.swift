package import TensorTypes

/// Which elements stay: those above a magnitude, and the first of those that equal it.
package struct MagnitudeThreshold: Sendable, Hashable {
    /// The bits of the magnitude.
    let pattern: UInt32
    /// How many elements of just this magnitude still may stay.
    package private(set) var ties: UInt64

    init(pattern: UInt32, ties: UInt64) {
        self.pattern = pattern
        self.ties = ties
    }

    /// The magnitude: elements above it stay.
    package var magnitude: Float { Float(bitPattern: pattern) }

    /// How many elements equal the magnitude, so that each tensor can be given its share of `ties`.
    package func equals(in values: Span<Float>) -> Int {
        var count = 0
        for index in values.indices where magnitudeBits(values[index]) == pattern { count += 1 }
        return count
    }

    /// The same threshold with so many elements that may equal it.
    package func allowing(ties: UInt64) -> MagnitudeThreshold { MagnitudeThreshold(pattern: pattern, ties: ties) }

    /// The third visit: the elements of this tensor that stay.
    ///
    /// The tensors come one after the other in a fixed order, since equal magnitudes are kept until there are enough.
    package mutating func mask(_ values: Span<Float>) -> Bitset {
        var mask = Bitset(count: values.count)
        for index in values.indices {
            let bits = magnitudeBits(values[index])
            guard bits >= pattern else { continue }
            if bits == pattern {
                guard ties > 0 else { continue }
                ties -= 1
            }
            mask[index] = true
        }
        return mask
    }
}
