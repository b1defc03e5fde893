"""Small hypnograms as other programs write them, after their makers' public descriptions."""

from __future__ import annotations

import json

NSRR = """<?xml version="1.0" encoding="UTF-8"?>
<PSGAnnotation><SoftwareVersion>Compumedics</SoftwareVersion><EpochLength>30</EpochLength><ScoredEvents>
<ScoredEvent><EventType/><EventConcept>Recording Start Time</EventConcept><Start>0</Start><Duration>210</Duration>
<ClockTime>{clock}</ClockTime></ScoredEvent>
<ScoredEvent><EventType>Arousals|Arousals</EventType><EventConcept>Arousal|Arousal ()</EventConcept><Start>20.5</Start>
<Duration>7.9</Duration></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>Wake|0</EventConcept><Start>0.0</Start>
<Duration>60.0</Duration></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>Stage 2 sleep|2</EventConcept><Start>60.0</Start>
<Duration>30.0</Duration></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>Stage 4 sleep|4</EventConcept><Start>90.0</Start>
<Duration>60.0</Duration></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>REM sleep|5</EventConcept><Start>150.0</Start>
<Duration>30.0</Duration></ScoredEvent>
<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>Unscored|9</EventConcept><Start>180.0</Start>
<Duration>30.0</Duration></ScoredEvent>
</ScoredEvents></PSGAnnotation>"""

REMLOGIC = """RemLogic Event Export
Patient:\tX
Scoring Session:
Scorer Name:\tM

Sleep Stage\tPosition\tTime [hh:mm:ss]\tEvent\tDuration[s]\tLocation
W\tUnknown Position\t23:59:00\tSLEEP-S0\t30\tROC-LOC
W\tUnknown Position\t23:59:10\tMCAP-A1\t4\tC4-A1
S1\tUnknown Position\t23:59:30\tSLEEP-S1\t30\tROC-LOC
S2\tUnknown Position\t00:00:00\tSLEEP-S2\t30\tROC-LOC
S4\tUnknown Position\t00:00:30\tSLEEP-S4\t30\tROC-LOC
R\tUnknown Position\t00:01:00\tSLEEP-REM\t30\tROC-LOC
MT\tUnknown Position\t00:01:30\tSLEEP-MT\t30\tROC-LOC
"""

EMBLA = """<?xml version="1.0" encoding="utf-8"?>
<EventExport xmlns:dt="urn:schemas-microsoft-com:datatypes"><EventTypes><EventType>SLEEP-S0</EventType></EventTypes>
<Events><Event><Type dt:dt="string">SLEEP-S0</Type><Location>EEG-C3-M2</Location>
<StartTime>2021-03-09T23:59:30.0000000</StartTime><StopTime>2021-03-10T00:00:00.0000000</StopTime></Event>
<Event><Type>AROUSAL</Type><StartTime>2021-03-09T23:59:35.0</StartTime><StopTime>2021-03-09T23:59:39.0</StopTime></Event>
<Event><Type>SLEEP-S3</Type><StartTime>2021-03-10T00:00:00.000000</StartTime>
<StopTime>2021-03-10T00:00:30.000000</StopTime></Event></Events></EventExport>"""

SLEEPWARE = """<?xml version="1.0" encoding="utf-8"?>
<PatientStudy xmlns="http://www.respironics.com/PatientStudy.xsd"><Acquisition><Sessions><Session><RecordingStart>
2020-05-06T22:58:32</RecordingStart><Duration>300</Duration></Session></Sessions></Acquisition><ScoringData><StagingData>
<MachineStaging><NeuroAdultAASMStaging><Stage Type="REM" Start="0"/></NeuroAdultAASMStaging></MachineStaging>
<UserStaging><NeuroAdultAASMStaging><Stage Type="Wake" Start="0"/><Stage Type="NonREM1" Start="60"/>
<Stage Type="NonREM3" Start="90"/><Stage Type="NotScored" Start="240"/></NeuroAdultAASMStaging></UserStaging>
</StagingData></ScoringData></PatientStudy>"""

SOMNOMEDICS = """Signal ID: SchlafProfil\\profil
Start Time: 11.03.2009 23:59:00
Unit:
Signal Type: Discret
Events list: N4,N3,N2,N1,Rem,Wach,Bewegung
Rate: 30 s

23:59:00,000; Wach
23:59:30,000; N1
00:00:00,000; N4
00:00:30,000; Rem
00:01:00,000; Bewegung
"""

LUNA = "# N2 | scored by hand\nclass\tinstance\tchannel\tstart\tstop\tmeta\n" + "\n".join(
    (
        "W\t.\t.\t0\t60\t.",
        "arousal\t.\tC3\t12.5\t17\t.",
        "N2\t.\t.\t60\t+30\t.",
        "N3\t.\t.\t90\t...\t.",
        "R\t.\t.\t150\t180\t.",
        "?\t.\t.\t180\t210\t.",
    )
)

DREAMS = "[hypnogram]\n" + "\n".join("5" * 6 + "3" * 2 + "2" * 4 + "1" * 3 + "0" * 3 + "4" * 6).replace("\n\n", "\n")
ELAN = "time_base 20\nsampling_period 0.0010000\nepoch_nb 6\nepoch_list\n0\n0\n0\n2\n2\n5\n"
VISBRAIN = "*Duration_sec\t150\n*Datafile\tUnspecified\nWake\t60\nN1\t90\nN3\t120\nREM\t150\n"

SCORING_HERO = [
    [
        {"epoch": 1, "start": 0, "end": 30, "stage": "Wake", "digit": 1, "clean": 1},
        {"epoch": 2, "start": 30, "end": 60, "stage": "N2", "digit": -2, "clean": 1},
        {"epoch": 3, "start": 60, "end": 90, "stage": None, "digit": None, "clean": 1},
        {"epoch": 4, "start": 90, "end": 120, "stage": "REM", "digit": 0, "clean": 0},
    ],
    [{"epoch": 1, "start": 3, "end": 4, "event": "Spindle", "digit": 1}],
]

PROFUSION = """<?xml version="1.0" encoding="UTF-8"?><CMPStudyConfig><EpochLength>30</EpochLength><SleepStages>
<SleepStage>0</SleepStage><SleepStage>2</SleepStage><SleepStage>5</SleepStage></SleepStages></CMPStudyConfig>"""
TABLE = "epoch,onset,duration,stage,start,scorer\n0,0,30,W,2002-01-01T23:00:00,J\n1,30,30,N2,2002-01-01T23:00:30,J\n"
PLAIN = "# start: 2002-01-01T23:00:00\n# scorer: J\nW\nN1\nN2\nN3\nREM\n?\n"

TEXTS = (
    *(NSRR, REMLOGIC, EMBLA, SLEEPWARE, SOMNOMEDICS, LUNA, DREAMS, ELAN, VISBRAIN, PROFUSION, TABLE, PLAIN),
    json.dumps(SCORING_HERO),
    "0 0\n0 1\n5 0",
)
"""One of each."""
