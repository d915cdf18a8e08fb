internal import TensorTypes

/// What only lossy files have, and what is for people (Formats/Silt.md, sections 4.1 and 12.7 to 12.9).
extension ManifestParser {
    static func receipt(_ parent: inout Fields, _ contract: Contract) throws(SiltError) -> Receipt? {
        guard parent.has("receipt") else { return nil }
        guard contract == .lossy else {
            throw SiltError(.manifest, "\(parent.place).receipt must be absent in an exact file")
        }
        var fields = try Fields(parent.value("receipt"), at: "\(parent.place).receipt")
        let receipt = Receipt(
            l2: try fields.number("l2"), max: try fields.number("max"), cosine: try fields.number("cosine"),
            changed: try fields.number("changed"))
        try fields.finish()
        return receipt
    }

    /// The evaluations, each of another data set, use or metric.
    static func evaluations(
        _ parent: inout Fields, _ contract: Contract
    ) throws(SiltError) -> [EvaluationRecord] {
        guard parent.has("evaluations") else { return [] }
        let place = "\(parent.place).evaluations"
        guard contract == .lossy else {
            throw SiltError(.manifest, "\(place) must be absent in an exact file")
        }
        let values = try parent.array("evaluations")
        guard !values.isEmpty else { throw SiltError(.manifest, "\(place) must be absent rather than empty") }
        guard values.count <= EvaluationRecord.limit else {
            throw SiltError(
                .limit, "\(place) has \(values.count) objects; at most \(EvaluationRecord.limit) are allowed")
        }
        var evaluations: [EvaluationRecord] = []
        var known: Set<[String]> = []
        for (index, value) in values.enumerated() {
            let evaluation = try evaluation(value, at: "\(place)[\(index)]")
            guard known.insert([evaluation.data, evaluation.use.rawValue, evaluation.metric]).inserted else {
                throw SiltError(.manifest, "\(place)[\(index)] has the data, use and metric of one before")
            }
            evaluations.append(evaluation)
        }
        return evaluations
    }

    private static func evaluation(_ value: JSONValue, at place: String) throws(SiltError) -> EvaluationRecord {
        var fields = try Fields(value, at: place)
        let data = try fields.sha256("data")
        let use = try fields.choice("use", DataUse.self)
        let metric = try fields.string("metric")
        guard EvaluationRecord.isMetric(metric) else {
            throw SiltError(
                .manifest,
                "\(place).metric must be 1 to \(EvaluationRecord.metricLimit) characters of a-z, 0-9, _, . and -, "
                    + "found \"\(metric)\"")
        }
        let evaluation = EvaluationRecord(
            data: data, use: use, metric: metric, examples: try fields.integer("examples", atLeast: 1),
            base: fields.has("base") ? try fields.number("base") : nil,
            fineTuned: try fields.number("finetuned"), rebuilt: try fields.number("rebuilt"))
        try fields.finish()
        return evaluation
    }

    static func packing(_ fields: inout Fields) throws(SiltError) -> [(name: String, value: String)] {
        guard fields.has("packing") else { return [] }
        let place = "\(fields.place).packing"
        guard case .object(let members) = fields.value("packing") else {
            throw SiltError(.manifest, "\(place) must be an object")
        }
        var packing: [(name: String, value: String)] = []
        for member in members {
            guard case .string(let text) = member.value else {
                throw Fields.wrong("\(place).\(member.key)", expected: "a string", found: member.value)
            }
            packing.append((member.key, text))
        }
        return packing
    }
}
