/// Rows of equal length, found by their sketches.
struct RowIndex {
    /// A row of a tensor.
    struct Place: Hashable {
        /// Index of the tensor among those that are indexed.
        let tensor: Int
        let row: Int
    }

    private struct Entry {
        let key: UInt32
        let row: UInt32
    }

    /// Rows that are compared under one key at most: rows that are alike tell nothing.
    private static let bucket = 64

    private var sketches: [Sketch] = []
    private var starts: [Int] = [0]
    private var entries: [Entry] = []

    /// - Parameter tensors: the sketches of each tensor's rows.
    init(_ tensors: [[Sketch]]) {
        for sketches in tensors {
            for sketch in sketches {
                let row = UInt32(truncatingIfNeeded: self.sketches.count)
                for key in sketch.keys { entries.append(Entry(key: key, row: row)) }
                self.sketches.append(sketch)
            }
            starts.append(self.sketches.count)
        }
        entries.sort { $0.key != $1.key ? $0.key < $1.key : $0.row < $1.row }
    }

    /// The sketch at a place; nil if the tensor has no such row.
    func sketch(_ place: Place) -> Sketch? {
        let index = starts[place.tensor] + place.row
        return place.row >= 0 && index < starts[place.tensor + 1] ? sketches[index] : nil
    }

    /// The row that is most like `sketch`, the first of several that are equally like it; nil if none is related.
    func best(_ sketch: Sketch) -> Place? {
        var found: (row: Int, equal: Int, both: Int)?
        for key in sketch.keys {
            var index = first(key)
            let end = min(entries.count, index + RowIndex.bucket)
            while index < end, entries[index].key == key {
                let row = Int(entries[index].row)
                index += 1
                let (both, equal) = sketch.compare(sketches[row])
                guard equal >= 3, 5 * equal >= 2 * both else { continue }
                if let found, (equal, found.row) <= (found.equal, row) { continue }
                found = (row, equal, both)
            }
        }
        guard let row = found?.row else { return nil }
        var (low, high) = (0, starts.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= row { low = middle } else { high = middle }
        }
        return Place(tensor: low, row: row - starts[low])
    }

    private func first(_ key: UInt32) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
