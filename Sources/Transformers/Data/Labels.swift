/// What the examples of a data set ought to give.
package enum Labels: Sendable, Hashable {
    /// The class of each example.
    case classes([Int])
    /// The value of each example.
    case values([Float])

    /// How many there are.
    package var count: Int {
        switch self {
        case .classes(let classes): classes.count
        case .values(let values): values.count
        }
    }

    /// The labels as numbers: what a regression is compared with.
    package var numbers: [Double] {
        switch self {
        case .classes(let classes): classes.map { Double($0) }
        case .values(let values): values.map { Double($0) }
        }
    }

    /// The first `count`.
    package func prefix(_ count: Int) -> Labels {
        switch self {
        case .classes(let classes): .classes(Array(classes.prefix(count)))
        case .values(let values): .values(Array(values.prefix(count)))
        }
    }

    /// Those of these examples, in this order.
    package func picked(_ examples: [Int]) -> Labels {
        switch self {
        case .classes(let classes): .classes(examples.map { classes[$0] })
        case .values(let values): .values(examples.map { values[$0] })
        }
    }
}
