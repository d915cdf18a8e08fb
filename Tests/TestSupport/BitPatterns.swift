package import TensorTypes

/// Float patterns for tests: what models have, and what they should not have but may.
package struct BitPatterns: Sendable, Equatable {
    /// Where the patterns lie among all that there are.
    package enum Kind: String, CaseIterable, Sendable {
        /// Like weights: exponents in the middle of the range.
        case weights
        /// Any bits at all.
        case random
        /// Subnormals and zeros of both signs.
        case subnormal
        /// NaN payloads, infinities, the largest and the smallest values, zeros of both signs.
        case special
        /// All patterns of the type in order, again and again (random ones for 32 bits).
        case all
    }

    /// How a result differs from its base.
    package enum Movement: String, CaseIterable, Sendable {
        /// Not at all.
        case still
        /// One element in 50, by one step.
        case light
        /// Every element, by any number of steps.
        case heavy
        /// Unit by unit: still, light, by a few steps, heavy.
        case mixed
    }

    /// Bits of a pattern.
    package let width: Int
    package let values: [UInt32]

    package init(width: Int, values: [UInt32]) {
        self.width = width
        self.values = values
    }

    /// `count` patterns of a kind.
    package init(_ kind: Kind, _ layout: FloatLayout, count: Int, using generator: inout SeededGenerator) {
        width = layout.width
        let mask = UInt32.max >> UInt32(32 - layout.width)
        let sign = UInt32(1) << UInt32(layout.width - 1)
        let mantissa = UInt32(1) << UInt32(layout.mantissaBits) - 1
        let exponents = UInt32(1) << UInt32(layout.exponentBits) - 1
        var values: [UInt32] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            let bits = UInt32(truncatingIfNeeded: generator.next())
            switch kind {
            case .weights:
                let middle = exponents / 2 - UInt32(generator.below(Int(exponents / 4) + 1))
                values.append(bits & (sign | mantissa) | middle << UInt32(layout.mantissaBits))
            case .random: values.append(bits & mask)
            case .subnormal: values.append(index % 8 == 0 ? bits & sign : bits & (sign | mantissa))
            case .special:
                let top = exponents << UInt32(layout.mantissaBits)
                let choices = [
                    top, top | bits & mantissa, 0, top - 1, 1, top | 1, top | mantissa, mantissa, mantissa + 1,
                ]
                values.append(bits & sign | choices[generator.below(choices.count)])
            case .all: values.append(layout.width == 32 ? bits : UInt32(index) & mask)
            }
        }
        self.values = values
    }

    /// The patterns of a result.
    package func moved(_ movement: Movement, unit: Int, using generator: inout SeededGenerator) -> BitPatterns {
        let mask = UInt32.max >> UInt32(32 - width)
        var moved = values
        for index in moved.indices {
            let style: Movement
            switch movement {
            case .mixed: style = [.still, .light, .mixed, .heavy][index / unit % 4]
            default: style = movement
            }
            let bits = UInt32(truncatingIfNeeded: generator.next() >> 16)
            switch style {
            case .still: break
            case .light: if bits % 50 == 0 { moved[index] = (moved[index] &+ 1 &- (bits >> 8 & 2)) & mask }
            case .mixed: moved[index] = (moved[index] &+ (bits & 15) &- 7) & mask
            case .heavy: moved[index] = bits & mask
            }
        }
        return BitPatterns(width: width, values: moved)
    }

    /// The little-endian bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * width / 8)
        for value in values {
            for shift in stride(from: UInt32(0), to: UInt32(width), by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        return bytes
    }

    /// The patterns in a buffer that kernels may read.
    package var buffer: ByteBuffer { ByteBuffer(bytes) }
}
