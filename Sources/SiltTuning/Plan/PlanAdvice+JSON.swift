package import TensorTypes

extension PlanAdvice {
    /// The advice for programs: its `kind`, and what it is about.
    package var json: JSONValue {
        switch self {
        case .nothingCompares: PlanAdvice.object("nothing-compares")
        case .nothingChanged: PlanAdvice.object("nothing-changed")
        case .exactIsSmallest: PlanAdvice.object("exact-is-smallest")
        case .lossyGainsLittle(let share): PlanAdvice.object("lossy-gains-little", [.init("share", .number(share))])
        case .exact(let ratio): PlanAdvice.object("exact", [.init("ratio", .number(ratio))])
        case .approximate(let choice, let ratio):
            PlanAdvice.object("approximate", [.init("options", choice.json), .init("ratio", .number(ratio))])
        case .pointless(let choices): PlanAdvice.object("pointless", [.init("options", .array(choices.map(\.json)))])
        case .largeDeltas(let limit, let share):
            PlanAdvice.object("large-deltas", [.init("limit", .number(limit)), .init("share", .number(share))])
        case .measureTask: PlanAdvice.object("measure-task")
        case .train: PlanAdvice.object("train")
        case .nothingToPrune: PlanAdvice.object("nothing-to-prune")
        case .exactBeatsPipeline(let way): PlanAdvice.object("exact-beats-pipeline", [.init("choice", way.json)])
        case .alternative(let way, let choice):
            PlanAdvice.object("alternative", [.init("way", way.json), .init("choice", choice.json)])
        case .metricDisagrees(let metric): PlanAdvice.object("metric-disagrees", [.init("metric", .string(metric))])
        case .pipeline(let choice, let next):
            PlanAdvice.object("pipeline", [.init("choice", choice.json), .init("next", next?.json ?? .null)])
        case .givesUp(let share): PlanAdvice.object("gives-up", [.init("share", .number(share))])
        case .measureElsewhere: PlanAdvice.object("measure-elsewhere")
        }
    }

    private static func object(_ kind: String, _ members: [JSONValue.Member] = []) -> JSONValue {
        .object([.init("kind", .string(kind))] + members)
    }
}
