/// Logarithm and exponential without the C library, whose last bit differs between systems.
package enum Elementary {
    private static let ln2 = 0.693_147_180_559_945_3

    /// The natural logarithm of a positive finite number, to a few units in the last place.
    package static func log(_ value: Double) -> Double {
        let (exponent, z) = reduced(value)
        return exponent * ln2 + 2 * artanh(z)
    }

    /// The binary logarithm of a positive finite number, to 1e-9: for estimates and for the places of things in pictures.
    package static func log2(_ value: Double) -> Double {
        let (exponent, z) = reduced(value)
        return exponent + 2 * artanh(z, highest: 13) * 1.442_695_040_888_963_4
    }

    /// e and z of a positive finite number 2^e s, where ln s = 2 artanh z and |z| < 0.172.
    private static func reduced(_ value: Double) -> (exponent: Double, z: Double) {
        var (exponent, significand) = (Double(value.exponent), value.significand)
        if significand > 1.414_213_562_373_095_1 {
            significand /= 2
            exponent += 1
        }
        return (exponent, (significand - 1) / (significand + 1))
    }

    /// artanh z where |z| is below 0.2, by the powers of z up to `highest`.
    package static func artanh(_ z: Double, highest: Double = 23) -> Double {
        let square = z * z
        var sum = 0.0
        for power in stride(from: highest, through: 1, by: -2) { sum = sum * square + 1 / power }
        return z * sum
    }

    /// The cosine of an angle from -pi to pi.
    package static func cosine(_ angle: Double) -> Double {
        var sum = 1.0
        for term in stride(from: 30.0, through: 2, by: -2) { sum = 1 - sum * angle * angle / (term * (term - 1)) }
        return sum
    }

    /// e to the power of `value`; 0 or infinity far from 0.
    package static func exp(_ value: Double) -> Double {
        guard value.magnitude < 700 else { return value < 0 ? 0 : .infinity }
        let exponent = (value / ln2).rounded()
        let rest = value - exponent * ln2
        var sum = 1.0
        for term in stride(from: 16.0, through: 1, by: -1) { sum = 1 + sum * rest / term }
        return Double(sign: .plus, exponent: Int(exponent), significand: sum)
    }
}
