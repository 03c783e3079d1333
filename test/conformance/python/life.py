"""The life of a classifier as the official Python SDK leads it. Run by hack/conformance.sh."""

import json
import time
import unittest
from datetime import datetime, timezone
from pathlib import Path

import sdk  # first: it says where modules are looked for

import httpx
from answers import Asker
from factory import Factory

samples = Path(__file__).parents[3] / "config/samples/quickstart/data"
model = "ministral-3b-latest"
no_such_id = "00000000-0000-4000-8000-000000000000"
unfinished = {"QUEUED", "VALIDATING", "VALIDATED", "RUNNING", "CANCELLATION_REQUESTED"}


def ids(page):
    return [entry.id for entry in page.data]


class Life(unittest.TestCase):
    """The tests are the stages of one life and run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.factory = Factory()
        cls.addClassCleanup(cls.factory.stop)
        cls.asker = Asker(cls.factory.server_url, cls.factory.api_key)
        cls.files, cls.models, cls.jobs = {}, {}, {}

    def ask(self, call):
        return self.asker.ask(call)

    def upload(self, name, content):
        return self.ask(lambda client: client.files.upload(file={"file_name": name, "content": content}, purpose="fine-tune"))

    def create(self, file, **options):
        request = {
            "model": model,
            "job_type": "classifier",
            "training_files": [{"file_id": file.id, "weight": 1}],
            "hyperparameters": {"training_steps": 120, "learning_rate": 4e-5},
            "auto_start": False,
            **options,
        }
        return self.ask(lambda client: client.fine_tuning.jobs.create(**request))

    def until(self, job_id, status):
        """Polls a job until it has the status."""
        for _ in range(600):
            job = self.ask(lambda client: client.fine_tuning.jobs.get(job_id=job_id))
            if job.status == status:
                return job
            self.assertIn(job.status, unfinished)
            time.sleep(0.05)
        self.fail(f"the job does not become {status}")

    def refused(self, call, kind, status, client=None):
        """Fails unless the server refuses the call with an error of the SDK's."""
        with self.assertRaises(kind) as raised:
            call(client or self.asker.client)
        self.assertIs(type(raised.exception), kind)
        self.assertEqual(raised.exception.status_code, status)
        self.assertEqual(raised.exception.headers["content-type"], "application/json")
        self.assertTrue(raised.exception.headers["x-request-id"])
        return raised.exception

    def test_1_files_are_uploaded_listed_looked_at_and_downloaded(self):
        for name in ("intents-train", "intents-validation", "tickets-train"):
            self.files[name] = self.upload(f"{name}.jsonl", (samples / f"{name}.jsonl").read_bytes())
        everything = self.ask(lambda client: client.files.list())
        self.assertCountEqual(ids(everything), [file.id for file in self.files.values()])
        pages = [self.ask(lambda client: client.files.list(page=page, page_size=2)) for page in range(3)]
        self.assertEqual([file_id for page in pages for file_id in ids(page)], ids(everything))
        self.assertEqual(pages[0].total, 3)
        found = self.ask(lambda client: client.files.list(search="tickets", purpose="fine-tune", source=["upload"]))
        self.assertEqual(ids(found), [self.files["tickets-train"].id])

        file_id = self.files["intents-train"].id
        content = (samples / "intents-train.jsonl").read_bytes()
        self.assertEqual(self.ask(lambda client: client.files.retrieve(file_id=file_id)).size_bytes, len(content))
        self.assertEqual(self.asker.client.files.download(file_id=file_id).read(), content)
        signed = self.ask(lambda client: client.files.get_signed_url(file_id=file_id, expiry=1))
        self.assertEqual(httpx.get(signed.url).content, content)

    def test_2_jobs_are_created_started_and_polled_until_they_have_a_model(self):
        created = self.create(self.files["intents-train"], validation_files=[self.files["intents-validation"].id], suffix="shop")
        self.assertEqual(created.status, "QUEUED")
        validated = self.until(created.id, "VALIDATED")
        self.assertEqual(len(validated.classifier_targets[0].labels), 10)
        self.assertGreater(validated.metadata.data_tokens, 0)
        self.ask(lambda client: client.fine_tuning.jobs.start(job_id=created.id))
        intents = self.jobs["intents"] = self.until(created.id, "SUCCESS")
        self.assertTrue(intents.checkpoints and intents.events)
        self.models["intents"] = intents.fine_tuned_model

        tickets = self.create(self.files["tickets-train"], auto_start=True)
        self.models["tickets"] = self.until(tickets.id, "SUCCESS").fine_tuned_model

    def test_3_a_curve_is_drawn_from_the_checkpoints(self):
        # Notebooks take 0 for "not evaluated at this step", and nothing else.
        checkpoints = self.jobs["intents"].checkpoints
        line = [(point.step_number, point.metrics.valid_loss) for point in checkpoints if point.metrics.valid_loss != 0]
        self.assertTrue(line, "there is no validation line")
        self.assertFalse([step for step, loss in line if loss is None], "steps that were not evaluated are drawn")

    def test_4_a_job_is_cancelled_and_jobs_are_listed(self):
        integrations = [{"type": "wandb", "project": "shop", "api_key": "0123456789" * 4, "name": "run"}]
        job_id = self.create(self.files["intents-train"], integrations=integrations).id
        self.ask(lambda client: client.fine_tuning.jobs.cancel(job_id=job_id))
        self.until(job_id, "CANCELLED")

        everything = self.ask(lambda client: client.fine_tuning.jobs.list())
        self.assertEqual(everything.total, 3)
        pages = [self.ask(lambda client: client.fine_tuning.jobs.list(page=page, page_size=2)) for page in range(2)]
        self.assertEqual([job_id for page in pages for job_id in ids(page)], ids(everything))
        past = datetime(2020, 1, 1, tzinfo=timezone.utc)
        cancelled = self.ask(
            lambda client: client.fine_tuning.jobs.list(status="CANCELLED", model=model, created_after=past, wandb_project="shop")
        )
        self.assertEqual(ids(cancelled), [job_id])
        self.assertEqual(ids(self.ask(lambda client: client.fine_tuning.jobs.list(suffix="shop"))), [self.jobs["intents"].id])

    def test_4_jobs_are_found_by_a_time_without_a_zone(self):
        found = self.ask(lambda client: client.fine_tuning.jobs.list(created_after=datetime(2020, 1, 1)))
        self.assertGreater(found.total, 0)

    def test_5_a_job_whose_data_is_invalid_fails_with_the_reason(self):
        file = self.upload("one-label.jsonl", b'{"text": "lamp", "labels": {"intent": "light"}}\n')
        failed = self.until(self.create(file, auto_start=True).id, "FAILED_VALIDATION")
        self.assertRegex(json.dumps([event.data for event in failed.events]), "label")
        self.ask(lambda client: client.files.delete(file_id=file.id))

    def test_6_models_are_listed_renamed_archived_and_unarchived(self):
        model_id = self.models["intents"]
        self.assertCountEqual(ids(self.ask(lambda client: client.models.list())), [*self.models.values(), model])
        updated = self.ask(lambda client: client.models.update(model_id=model_id, name="Shop", description="what a customer wants"))
        self.assertEqual(updated.classifier_targets[0].name, "intent")
        self.assertIs(self.ask(lambda client: client.models.archive(model_id=model_id)).archived, True)
        self.assertIs(self.ask(lambda client: client.models.unarchive(model_id=model_id)).archived, False)
        self.assertEqual(self.ask(lambda client: client.models.retrieve(model_id=model_id)).name, "Shop")
        self.ask(lambda client: client.models.retrieve(model_id=model))
        if sdk.filters_models:
            self.assertEqual(len(self.ask(lambda client: client.models.list(provider="classifier-factory")).data), 3)
            self.assertEqual(self.ask(lambda client: client.models.list(provider="another")).data, [])

    def test_7_texts_and_conversations_are_classified(self):
        classify = lambda inputs: self.ask(lambda client: client.classifiers.classify(model=self.models["intents"], inputs=inputs)).results
        one, many = classify("Where is my parcel?"), classify(["Where is my parcel?", "I want my money back"])
        self.assertEqual(one[0], many[0])
        self.assert_scores(many, {"intent": 10})

        conversation = {
            "messages": [
                {"role": "system", "content": "You help."},
                {"role": "user", "content": [{"type": "text", "text": "My parcel is lost!"}]},
                {"role": "assistant", "content": "Since when?"},
            ]
        }
        for conversations in (conversation, [conversation]):
            request = sdk.chat_request(self.models["tickets"], conversations)
            self.assert_scores(self.ask(lambda client: client.classifiers.classify_chat(**request)).results, {"topic": 4, "urgency": 3})

    def assert_scores(self, results, labels):
        for result in results:
            self.assertEqual({target: len(answer.scores) for target, answer in result.items()}, labels)
            for answer in result.values():
                self.assertAlmostEqual(sum(answer.scores.values()), 1)

    def test_8_refusals_are_the_errors_of_the_sdk(self):
        stranger = Asker(self.factory.server_url, "wrong").client
        unauthorized = self.refused(lambda client: client.models.list(), sdk.errors.SDKError, 401, stranger)
        self.assertEqual(json.loads(unauthorized.body), {"detail": "Unauthorized"})

        none = "ft:classifier:none"
        repository = {"type": "github", "name": "texts", "owner": "shop", "token": "token"}
        job = {"model": model, "job_type": "classifier", "hyperparameters": {}}
        for status, call in [
            (404, lambda client: client.files.retrieve(file_id=no_such_id)),
            (404, lambda client: client.files.download(file_id=no_such_id)),
            (404, lambda client: client.files.delete(file_id=no_such_id)),
            (404, lambda client: client.fine_tuning.jobs.get(job_id=no_such_id)),
            (404, lambda client: client.models.retrieve(model_id=none)),
            (404, lambda client: client.models.update(model_id=none, name="x")),
            (403, lambda client: client.models.delete(model_id=model)),
            (422, lambda client: client.files.upload(file={"file_name": "x.zip", "content": b"x"})),
            (422, lambda client: client.fine_tuning.jobs.create(**job)),
            (422, lambda client: client.fine_tuning.jobs.create(**job, repositories=[repository])),
            (422, lambda client: client.fine_tuning.jobs.create(model="no-such-model", hyperparameters={})),
        ]:
            self.assertTrue(json.loads(self.refused(call, sdk.errors.SDKError, status).body)["detail"])
        message = {"role": "user", "content": "x"}
        for call in (
            lambda client: client.classifiers.classify(model=none, inputs="x"),
            lambda client: client.classifiers.classify_chat(**sdk.chat_request(none, {"messages": [message]})),
        ):
            unknown = json.loads(self.refused(call, sdk.errors.SDKError, 400).body)
            expected = {"object": "error", "message": f"Invalid model: {none}", "type": "invalid_model", "param": None, "code": "1500"}
            self.assertEqual(unknown, expected)
        for call in (
            lambda client: client.classifiers.moderate(model=model, inputs="x"),
            lambda client: client.chat.complete(model=model, messages=[message]),
            lambda client: client.embeddings.create(model=model, inputs=["x"]),
        ):
            self.assertIn("This server is a Classifier Factory", json.loads(self.refused(call, sdk.errors.SDKError, 404).body)["detail"])

        tickets, intents = self.models["tickets"], self.models["intents"]
        image = {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": "https://example.com/x.png"}]}
        for location, call in [
            (["model"], lambda client: client.classifiers.classify(model=model, inputs="no classifier but a base model")),
            (["input"], lambda client: client.classifiers.classify(model=intents, inputs=[])),
            (["input", "messages"], lambda client: client.classifiers.classify_chat(**sdk.chat_request(tickets, {"messages": []}))),
            (["input", 0, "messages"], lambda client: client.classifiers.classify_chat(**sdk.chat_request(tickets, [{"messages": []}]))),
            (
                ["input", 0, "messages", 0, "content", 1, "type"],
                lambda client: client.classifiers.classify_chat(**sdk.chat_request(tickets, [{"messages": [image]}])),
            ),
        ]:
            error = self.refused(call, sdk.errors.HTTPValidationError, 422)
            self.assertEqual(error.data.detail[0].loc, ["body", *location])
            self.assertTrue(error.data.detail[0].msg)

    def test_9_everything_is_deleted(self):
        for file in self.files.values():
            self.assertIs(self.ask(lambda client: client.files.delete(file_id=file.id)).deleted, True)
        for model_id in self.models.values():
            self.assertIs(self.ask(lambda client: client.models.delete(model_id=model_id)).deleted, True)
        self.assertEqual(self.ask(lambda client: client.files.list()).data, [])
        self.assertEqual(ids(self.ask(lambda client: client.models.list())), [model])


if __name__ == "__main__":
    print(sdk.describe(), flush=True)
    unittest.main(verbosity=2)
