extension Double {
    /// The number with so many significant digits: what people read and type, and no byte more in a file.
    package func rounded(digits: Int) -> Double {
        // Beyond that the scale itself would leave binary64; no such factor is one of binary32.
        guard (1e-100...1e100).contains(magnitude) else { return self }
        let highest = (0..<digits).reduce(1.0) { power, _ in power * 10 }
        var scale = 1.0
        while magnitude * scale < highest / 10 { scale *= 10 }
        while magnitude * scale >= highest { scale /= 10 }
        return (self * scale).rounded() / scale
    }
}
