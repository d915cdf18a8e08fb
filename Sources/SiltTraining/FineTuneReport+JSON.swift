package import TensorTypes

extension FineTuneReport {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "metric": .string(metric), "higher_is_better": .bool(higherIsBetter), "value": .number(value),
            "step": .integer(step), "steps": .integer(steps), "examples": .integer(examples),
            "validation_examples": .integer(validationExamples), "parameters": .integer(parameters),
            "new_parameters": .integer(newParameters), "distance": .number(distance), "seconds": .number(seconds),
            "step_seconds": .number(stepSeconds), "steps_of_run": .integer(stepsOfRun),
            "history": .array(
                history.map {
                    .members(["step": .integer($0.step), "loss": .number($0.loss), "value": .number($0.value)])
                }),
        ])
    }
}
