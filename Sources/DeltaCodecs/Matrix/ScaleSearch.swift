internal import CSiltKernels

/// Finds scales for codes: that with the smallest squared error, among some ratios of clipping.
enum ScaleSearch {
    /// Values that a search looks at, at most: of a matrix, and of a row or group.
    private static let matrixSample = 65_536
    private static let runSample = 1_024
    /// Codes from which clipping gains nothing, and where the error is no longer computed.
    private static let fineCodes: Int32 = 1 << 20

    /// One step for all of `count` values, above 0.
    static func step(
        _ values: UnsafePointer<Float>, count: Int, type: ValueType, rule: MatrixRequest.ScaleRule
    ) -> Float {
        let largest = unsafe silt_largest(values, count)
        guard largest > 0 else { return type == .sign ? .leastNormalMagnitude : 1 }
        if type == .sign, rule != .maximum { return unsafe positive(mean(values, count: count)) }
        let widest = positive(largest / Float(type.largestCode))
        guard rule != .maximum, type.largestCode < fineCodes else { return widest }
        let stride = (count - 1) / matrixSample + 1
        func error(_ scale: Float) -> Double {
            let error = unsafe silt_quantise_error(values, count, stride, scale, type.largestCode)
            return error * Double(scale) * Double(scale)
        }
        var best = (scale: widest, error: error(widest))
        var scale = widest
        for _ in 0..<28 {
            scale = positive(scale * 0.86)
            let found = error(scale)
            if found < best.error { best = (scale, found) }
            if found > 8 * best.error { break }
        }
        let middle = best.scale
        for factor: Float in [0.9, 0.95, 1.05, 1.1] where middle * factor < widest {
            let found = error(positive(middle * factor))
            if found < best.error { best = (positive(middle * factor), found) }
        }
        return best.scale
    }

    /// The BF16 pattern of a scale for a run of values; 0 only if all are 0.
    static func pattern(_ values: UnsafePointer<Float>, count: Int, type: ValueType) -> UInt16 {
        let largest = unsafe silt_largest(values, count)
        guard count > 0, largest > 0 else { return 0 }
        if type == .sign { return unsafe rounded(mean(values, count: count)) }
        let widest = largest / Float(type.largestCode)
        guard type.largestCode < fineCodes else { return rounded(widest) }
        let stride = (count - 1) / runSample + 1
        var best = (pattern: rounded(widest), error: Double.infinity)
        for step in 0..<13 {
            let pattern = rounded(widest * (1 - 0.05 * Float(step)))
            let scale = Float(bitPattern: UInt32(pattern) << 16)
            let found = unsafe silt_quantise_error(values, count, stride, scale, type.largestCode)
            let error = found * Double(scale) * Double(scale)
            if error < best.error { best = (pattern, error) }
        }
        return best.pattern
    }

    private static func mean(_ values: UnsafePointer<Float>, count: Int) -> Float {
        unsafe Float(silt_magnitude(values, count) / Double(count))
    }

    private static func positive(_ scale: Float) -> Float { max(scale, .leastNonzeroMagnitude) }

    /// The nearest BF16 (ties to even) that is finite and above 0.
    private static func rounded(_ scale: Float) -> UInt16 {
        var (scale, pattern) = (scale, UInt16(0))
        unsafe silt_convert(Int32(SILT_F32), Int32(SILT_BF16), &scale, &pattern, 1)
        return min(max(pattern, 1), 0x7F7F)
    }
}
