/// Logarithm and exponential without the C library, whose last bit differs between systems.
enum Elementary {
    private static let ln2 = 0.693_147_180_559_945_3

    /// The natural logarithm of a positive finite number, to a few units in the last place.
    static func log(_ value: Double) -> Double {
        var (exponent, significand) = (Double(value.exponent), value.significand)
        if significand > 1.414_213_562_373_095_1 {
            significand /= 2
            exponent += 1
        }
        // ln s = 2 artanh z, with |z| < 0.172.
        return exponent * ln2 + 2 * artanh((significand - 1) / (significand + 1))
    }

    /// artanh z where |z| is below 0.2.
    static func artanh(_ z: Double) -> Double {
        let square = z * z
        var sum = 0.0
        for power in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / power }
        return z * sum
    }

    /// The cosine of an angle from -pi to pi.
    static func cosine(_ angle: Double) -> Double {
        var sum = 1.0
        for term in stride(from: 30.0, through: 2, by: -2) { sum = 1 - sum * angle * angle / (term * (term - 1)) }
        return sum
    }

    /// e to the power of `value`; 0 or infinity far from 0.
    static func exp(_ value: Double) -> Double {
        guard value.magnitude < 700 else { return value < 0 ? 0 : .infinity }
        let exponent = (value / ln2).rounded()
        let rest = value - exponent * ln2
        var sum = 1.0
        for term in stride(from: 16.0, through: 1, by: -1) { sum = 1 + sum * rest / term }
        return Double(sign: .plus, exponent: Int(exponent), significand: sum)
    }
}
