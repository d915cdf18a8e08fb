/// Consecutive rows that consecutive rows of a base tensor predict.
struct RowRun: Hashable {
    var rows: Range<Int>
    /// Index of the base tensor among those that are indexed.
    let tensor: Int
    /// Its row that predicts the first one.
    var first: Int
}

extension RowIndex {
    /// The runs of rows of a tensor that rows of the index predict, ascending.
    ///
    /// A row follows the row before it wherever the two are related, so that runs are as long as they can be.
    func runs(of sketches: [Sketch]) -> [RowRun] {
        var places: [Place?] = []
        places.reserveCapacity(sketches.count)
        var last: Place?
        for sketch in sketches {
            var place: Place?
            if let last {
                let next = Place(tensor: last.tensor, row: last.row + 1)
                // Rows without codes, of zeros, say, go with those before them.
                if let other = self.sketch(next), sketch.isRelated(to: other) || sketch.codes + other.codes == 0 {
                    place = next
                }
            }
            place = place ?? best(sketch)
            places.append(place)
            last = place ?? last.map { Place(tensor: $0.tensor, row: $0.row + 1) }
        }
        return joined(places)
    }

    /// Runs, with rows that nothing matches where both neighbours agree on what would predict them.
    private func joined(_ places: [Place?]) -> [RowRun] {
        var runs: [RowRun] = []
        for (row, place) in places.enumerated() {
            guard let place else { continue }
            if let last = runs.last, last.tensor == place.tensor, place.row - last.first == row - last.rows.lowerBound {
                runs[runs.count - 1].rows = last.rows.lowerBound..<row + 1
            } else {
                runs.append(RowRun(rows: row..<row + 1, tensor: place.tensor, first: place.row))
            }
        }
        guard var head = runs.first else { return [] }
        // Rows at the ends that have no codes.
        while head.rows.lowerBound > 0, head.first > 0 {
            head.first -= 1
            head.rows = head.rows.lowerBound - 1..<head.rows.upperBound
        }
        runs[0] = head
        return runs
    }
}
