/// Numbers that are normal enough for a random projection, the same on every machine: a hash of their index.
enum GaussianRows {
    /// A matrix of independent numbers of mean 0 and variance 1.
    ///
    /// Each is a sum of 12 uniform numbers of 16 bits. All that a projection needs is that they are independent and that
    /// large ones are rare; what logarithms and cosines would add is a dependence on the C library.
    static func make(rows: Int, columns: Int, seed: UInt64) -> DenseMatrix {
        var result = DenseMatrix(rows: rows, columns: columns)
        for index in result.values.indices {
            var sum: UInt64 = 0
            for word in 0..<3 {
                // Adds the four fields of 16 bits of each word.
                let bits = mix(seed &+ (UInt64(index) &* 3 &+ UInt64(word)) &* 0x9E37_79B9_7F4A_7C15)
                let pairs = (bits & 0x0000_FFFF_0000_FFFF) &+ (bits >> 16 & 0x0000_FFFF_0000_FFFF)
                sum &+= (pairs & 0xFFFF_FFFF) &+ pairs >> 32
            }
            result.values[index] = (Float(sum) + 6) / 65_536 - 6
        }
        return result
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014).
    private static func mix(_ state: UInt64) -> UInt64 {
        let first = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        let second = (first ^ first >> 27) &* 0x94D0_49BB_1331_11EB
        return second ^ second >> 31
    }
}
