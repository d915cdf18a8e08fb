package import SiltFormat
package import TensorTypes

extension Receipt {
    /// Its four numbers, as reports have them.
    package var json: JSONValue {
        .members([
            "relative_l2": .number(l2), "max_abs": .number(max), "cosine": .number(cosine), "changed": .number(changed),
        ])
    }
}
