package import SiltPacking
internal import Synchronization
internal import Workers
internal import DeltaPruning
internal import Safetensors
internal import SiltFormat
package import TensorTypes

extension Planner {
    /// The name with every number between dots replaced by `*`: `encoder.layer.*.attention.self.query.weight`.
    static func groupName(_ name: String) -> String {
        name.split(separator: ".", omittingEmptySubsequences: false).map { part in
            !part.isEmpty && part.allSatisfy(\.isNumber) ? "*" : String(part)
        }.joined(separator: ".")
    }

    /// Statistics of the deltas of all float tensors that the base predicts, by group.
    package func statistics(_ tensors: [Packing.Tensor]) throws(SiltError) -> [PlanReport.Group] {
        let tensors = tensors.filter {
            $0.known.knownElements > 0 && $0.known.info.dtype.isPredictable && $0.isFinite
        }.map(\.known)
        let meter = ProgressMeter("measuring deltas", total: tensors.reduce(0) { $0 + $1.info.bytes }, context.progress)
        let found = try context.pool.map(
            count: tensors.count, makeWorker: { DeltaBuffers() },
            work: { (buffers, index) throws(SiltError) in
                let delta = try tensors[index].delta(buffers)
                let start = try unsafe delta.values()
                let statistics = unsafe DeltaStatistics(
                    Span(_unsafeStart: UnsafePointer(start), count: delta.count))
                meter.add(tensors[index].info.bytes, tensors[index].name)
                return statistics
            })
        var order: [String] = []
        var groups: [String: (statistics: DeltaStatistics, tensors: Int)] = [:]
        for (tensor, statistics) in zip(tensors, found) {
            let name = Planner.groupName(tensor.name)
            if groups[name] == nil { order.append(name) }
            groups[name, default: (DeltaStatistics(), 0)].statistics.add(statistics)
            groups[name]?.tensors += 1
        }
        let list = order.compactMap { name -> PlanReport.Group? in
            guard let (statistics, tensors) = groups[name] else { return nil }
            return PlanReport.Group(
                name: name, tensors: tensors, parameters: statistics.count, mean: statistics.mean,
                deviation: statistics.deviation, largest: Double(statistics.largest),
                unchanged: statistics.zeroShare, kurtosis: statistics.excessKurtosis)
        }
        return list.enumerated().sorted { a, b in
            a.element.parameters != b.element.parameters
                ? a.element.parameters > b.element.parameters : a.offset < b.offset
        }.map(\.element)
    }
}
