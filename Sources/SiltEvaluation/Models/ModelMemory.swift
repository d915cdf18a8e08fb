internal import Processes
package import TensorTypes

/// Refuses what the machine's memory cannot hold before it is asked for: a header may claim any size.
package enum ModelMemory {
    /// Throws `usage` if the values of `tensors` take more than `limit` bytes as F32.
    package static func check(
        _ tensors: some Sequence<TensorInfo>, file: String, limit: Int = Memory.physicalBytes
    ) throws(SiltError) {
        var values = 0
        for tensor in tensors {
            let sum = values.addingReportingOverflow(tensor.parameters)
            values = sum.overflow ? .max : sum.partialValue
        }
        try check(
            values: values, "the model's weights", file: file, limit: limit,
            advice: "\(option: .evaluator) CMD runs your own program, which may need less")
    }

    /// Throws `usage` if `values` F32 values take more than `limit` bytes.
    package static func check(
        values: Int, _ what: String, file: String, limit: Int = Memory.physicalBytes, advice: String
    ) throws(SiltError) {
        let bytes = values.multipliedReportingOverflow(by: 4)
        guard bytes.overflow || bytes.partialValue > limit else { return }
        let taken = bytes.overflow ? "more than \(Int.max)" : "\(bytes.partialValue)"
        throw SiltError(
            .usage, "\(what) take \(taken) bytes of memory; the machine has \(limit)", file: file, advice: advice)
    }
}
