/// Predicted classes against labels.
package struct Classes: Sendable {
    /// The classes that the labels or the predictions name, ascending.
    private let names: [Int]
    /// How often each pair of label and prediction comes, by position in `names`: [label][prediction].
    private let pairs: [[Int]]
    private let total: Int

    /// - Precondition: as many predictions as labels.
    package init(predicted: [Int], labels: [Int]) {
        precondition(predicted.count == labels.count)
        names = Set(predicted).union(labels).sorted()
        let positions = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        var pairs = Array(repeating: Array(repeating: 0, count: names.count), count: names.count)
        for (prediction, label) in zip(predicted, labels) {
            pairs[positions[label] ?? 0][positions[prediction] ?? 0] += 1
        }
        self.pairs = pairs
        total = labels.count
    }

    private var right: Int { names.indices.reduce(0) { $0 + pairs[$1][$1] } }
    private func labelled(_ index: Int) -> Int { pairs[index].reduce(0, +) }
    private func predicted(_ index: Int) -> Int { pairs.reduce(0) { $0 + $1[index] } }

    /// The share that is right; 0 of nothing.
    package var accuracy: Double { total == 0 ? 0 : Double(right) / Double(total) }

    /// F1 of class 1 if the model has two classes, else the mean of the F1 of all classes that occur; 0 where a class is
    /// neither labelled nor predicted rightly.
    package func f1(classes: Int) -> Double {
        let scores = names.indices.map { index in
            let sum = labelled(index) + predicted(index)
            return sum == 0 ? 0 : 2 * Double(pairs[index][index]) / Double(sum)
        }
        if classes == 2 { return names.firstIndex(of: 1).map { scores[$0] } ?? 0 }
        return scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
    }

    /// The correlation coefficient of Matthews, for any number of classes; 0 where labels or predictions do not vary.
    package var matthews: Double {
        let (labels, predictions) = (names.indices.map(labelled), names.indices.map(predicted))
        let count = Double(total)
        func product(_ a: [Int], _ b: [Int]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        let scale =
            (count * count - product(predictions, predictions)) * (count * count - product(labels, labels))
        return scale > 0 ? (Double(right) * count - product(labels, predictions)) / scale.squareRoot() : 0
    }
}
