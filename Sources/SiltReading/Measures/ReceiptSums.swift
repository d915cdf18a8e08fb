internal import DeltaKernels
package import SiltFormat
internal import TensorTypes

/// The sums behind a receipt (Formats/Silt.md, section 12.7).
///
/// They are added cell by cell in the order of the cells, so that every machine and every number of threads gets the same.
package struct ReceiptSums: Sendable {
    /// Sum of (result - fine-tuned)^2, of (fine-tuned - base)^2, of (result - base)^2, and of the products of the last two.
    package var error = 0.0, delta = 0.0, change = 0.0, product = 0.0
    /// Largest |result - fine-tuned|.
    var maximum = 0.0
    /// Elements whose patterns differ from the fine-tuned's, and all elements, of those that are finite.
    package var changed = 0, elements = 0

    /// Elements that are finite in the fine-tuned checkpoint and the base, and not in the result.
    package var lost = 0

    /// No elements.
    package init() {}

    private init(_ run: Distance) {
        (error, delta, change, product) = (run.error, run.delta, run.change, run.product)
        (maximum, changed, elements, lost) = (run.maximum, run.changed, run.elements, run.lost)
    }

    /// Adds a run of elements, as Float.
    package mutating func add(
        result: UnsafePointer<Float>, fineTuned: UnsafePointer<Float>, base: UnsafePointer<Float>, count: Int
    ) {
        unsafe add(ReceiptSums(Distance(result: result, fineTuned: fineTuned, base: base, count: count)))
    }

    /// Adds a run of finite deltas of which nothing is left.
    package mutating func addLoss(of deltas: UnsafePointer<Float>, count: Int) {
        for index in 0..<count {
            let d = unsafe Double(deltas[index])
            if d != 0 { changed += 1 }
            error += d * d
            delta += d * d
            maximum = max(maximum, abs(d))
        }
        elements += count
    }

    /// Adds the sums of later elements.
    package mutating func add(_ other: ReceiptSums) {
        error += other.error
        delta += other.delta
        change += other.change
        product += other.product
        maximum = max(maximum, other.maximum)
        changed += other.changed
        lost += other.lost
        elements += other.elements
    }

    /// The receipt, its numbers rounded to six digits.
    package var receipt: Receipt {
        let l2 = error == 0 ? 0 : delta == 0 ? 1 : (error / delta).squareRoot()
        let lengths = (change * delta).squareRoot()
        let cosine = change == 0 && delta == 0 ? 1 : lengths == 0 ? 0 : product / lengths
        return Receipt(
            l2: ReceiptSums.rounded(l2), max: ReceiptSums.rounded(maximum), cosine: ReceiptSums.rounded(cosine),
            changed: ReceiptSums.rounded(elements == 0 ? 0 : Double(changed) / Double(elements)))
    }

    /// `value` with six significant digits: more would be bytes that nobody reads.
    ///
    /// Not `rounded(digits:)`: the magnitude is rounded at each step here, and files have what that gives.
    private static func rounded(_ value: Double) -> Double {
        guard value != 0, value.isFinite else { return value }
        var magnitude = abs(value)
        var scale = 1.0
        while magnitude < 100_000 && scale < 1e60 {
            magnitude *= 10
            scale *= 10
        }
        while magnitude >= 1_000_000 {
            magnitude /= 10
            scale /= 10
        }
        return (value * scale).rounded() / scale
    }
}

extension Receipt {
    /// Whether another receipt says the same, but for the last digit of rounding.
    func agrees(with other: Receipt) -> Bool {
        func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 2e-5 * max(abs(a), abs(b)) + 1e-12 }
        return near(l2, other.l2) && near(max, other.max) && near(cosine, other.cosine) && near(changed, other.changed)
    }

    private func max(_ a: Double, _ b: Double) -> Double { a > b ? a : b }
}
