// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <larmor/core/hash.hpp>
#include <larmor/io/dicom/anonymize.hpp>
#include <map>
#include <set>
#include <sstream>

namespace larmor::dicom {
namespace {

enum class Option : char { none = '-', device = 'd', institution = 'i', characteristics = 'c' };

struct Group {
  char action;  // X Z D
  Option kept_by;
  const char* keywords;
};

// PS3.15 (2024b), table E.1-1, without what the rules by value representation below cover (people, dates, free text,
// UIDs, private attributes). Where the table leaves a choice (X/Z/D) the one that keeps an MR object valid is taken.
constexpr Group table[] = {
    {'Z', Option::none,
     "AccessionNumber AcquisitionContextSequence BarcodeValue ClinicalTrialCoordinatingCenterName "
     "ClinicalTrialProtocolName ClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialTimePointID "
     "ConsultingPhysicianName ContentDate ContentTime ContrastBolusAgent FillerOrderNumberImagingServiceRequest "
     "IssuerOfTheContainerIdentifierSequence IssuerOfTheSpecimenIdentifierSequence LabelText PatientBirthDate "
     "PlacerOrderNumberImagingServiceRequest ROIInterpreter ROIName ReferringPhysicianName "
     "SpecimenPreparationSequence StudyDate StudyID StudyTime"},
    {'Z', Option::characteristics, "PatientSex"},
    {'D', Option::none,
     "AcquisitionFieldOfViewLabel AnnotationGroupLabel ClinicalTrialProtocolEthicsCommitteeName "
     "ClinicalTrialProtocolID ClinicalTrialSponsorName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID "
     "ContainerIdentifier ContentCreatorName DeviceLabel EntityLabel EntityLongLabel PatientID PatientName "
     "PersonName RTPlanLabel RTPrescriptionLabel RTToleranceSetLabel RadiationDoseIdentificationLabel "
     "RadiationDoseInVivoMeasurementLabel RadiationGenerationModeLabel SelectorLOValue SelectorSHValue "
     "SpecimenIdentifier StructureSetLabel TreatmentPositionGroupLabel UserContentLabel UserContentLongLabel "
     "VerifyingObserverName"},
    {'X', Option::characteristics,
     "Allergies EthnicGroup PatientAge PatientSexNeutered PatientSize PatientState PatientWeight PreMedication "
     "PregnancyStatus SmokingStatus SpecialNeeds"},
    {'X', Option::device,
     "AcquisitionDeviceProcessingDescription BeamHoldTransitionDateTime CameraOwnerName CassetteID "
     "ContainerComponentID DetectorID DeviceAlternateIdentifier DeviceDescription DeviceSerialNumber "
     "DeviceSettingDescription DeviceUID GantryID GeneratorID LensMake LensModel LensSerialNumber "
     "LensSpecification LongDeviceDescription MakerNote ManufacturerDeviceIdentifier NetworkID PerformedLocation "
     "PerformedStationAETitle PerformedStationGeographicLocationCodeSequence PerformedStationName "
     "PerformedStationNameCodeSequence PlateID RetrieveAETitle ScheduledProcedureStepLocation "
     "ScheduledStationAETitle ScheduledStationGeographicLocationCodeSequence ScheduledStationName "
     "ScheduledStationNameCodeSequence SourceManufacturer SourceSerialNumber StationAETitle StationName "
     "TransducerIdentificationSequence TreatmentMachineName UDISequence UniqueDeviceIdentifier XRayDetectorID "
     "XRayDetectorLabel XRaySourceID"},
    {'X', Option::institution,
     "InstitutionAddress InstitutionCodeSequence InstitutionName InstitutionalDepartmentName "
     "InstitutionalDepartmentTypeCodeSequence"},
    {'X', Option::none,
     "AcquisitionComments AcquisitionProtocolDescription ActualHumanPerformersSequence AdditionalPatientHistory "
     "AddressTrial AdmissionID AdmittingDate AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription "
     "AdmittingTime AffectedSOPInstanceUID AnnotationGroupDescription Arbitrary AuthorObserverSequence "
     "AuthorizationEquipmentCertificationNumber BeamDescription BolusDescription BranchOfService CassetteSize "
     "CertificateOfSigner CertifiedTimestamp ClinicalTrialProtocolEthicsCommitteeApprovalNumber "
     "ClinicalTrialSeriesDescription ClinicalTrialSeriesID ClinicalTrialTimePointDescription "
     "CommentsOnRadiationDose CommentsOnThePerformedProcedureStep CompensatorDescription "
     "ConceptualVolumeCombinationDescription ConceptualVolumeDescription "
     "ConfidentialityConstraintOnPatientDataDescription ConsultingPhysicianIdentificationSequence "
     "ContainerDescription ContentCreatorIdentificationCodeSequence ContributingEquipmentSequence "
     "ContributionDescription CountryOfResidence CurrentObserverTrial CurrentPatientLocation "
     "CustodialOrganizationSequence DataSetTrailingPadding DecompositionDescription DerivationDescription "
     "DigitalSignaturesSequence DischargeDiagnosisDescription DisplacementReferenceLabel DistributionAddress "
     "DistributionName DoseReferenceDescription EntityDescription EntityName EquipmentFrameOfReferenceDescription "
     "FixationDeviceDescription FlowIdentifier FlowIdentifierSequence FractionGroupDescription FractionationNotes "
     "FrameComments FrameOriginTimestamp GPSAltitude GPSAltitudeRef GPSAreaInformation GPSDOP GPSDateStamp "
     "GPSDestBearing GPSDestBearingRef GPSDestDistance GPSDestDistanceRef GPSDestLatitude GPSDestLatitudeRef "
     "GPSDestLongitude GPSDestLongitudeRef GPSDifferential GPSImgDirection GPSImgDirectionRef GPSLatitude "
     "GPSLatitudeRef GPSLongitude GPSLongitudeRef GPSMapDatum GPSMeasureMode GPSProcessingMethod GPSSatellites "
     "GPSSpeed GPSSpeedRef GPSStatus GPSTimeStamp GPSTrack GPSTrackRef GPSVersionID GraphicAnnotationSequence "
     "HumanPerformerName HumanPerformerOrganization IconImageSequence IdentifyingComments ImageComments "
     "ImagePresentationComments ImagingServiceRequestComments Impressions InstanceCoercionDateTime "
     "InstanceOriginStatus InsurancePlanIdentification IntendedRecipientsOfResultsIdentificationSequence "
     "InterlockDescription InterlockOriginDescription InterpretationApproverSequence InterpretationAuthor "
     "InterpretationDiagnosisDescription InterpretationID InterpretationIDIssuer InterpretationRecorder "
     "InterpretationText InterpretationTranscriber IssuerOfAccessionNumberSequence IssuerOfAdmissionID "
     "IssuerOfAdmissionIDSequence IssuerOfPatientID IssuerOfPatientIDQualifiersSequence IssuerOfServiceEpisodeID "
     "IssuerOfServiceEpisodeIDSequence LastMenstrualDate MAC MedicalAlerts MedicalRecordLocator MilitaryRank "
     "ModifiedAttributesSequence ModifiedImageDescription ModifyingDeviceID ModifyingSystem "
     "MultienergyAcquisitionDescription NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults "
     "NonconformingDataElementValue NonconformingModifiedAttributesSequence Occupation "
     "OperatorIdentificationSequence OperatorsName OrderCallbackPhoneNumber OrderCallbackTelecomInformation "
     "OrderEnteredBy OrderEntererLocation OriginalAttributesSequence OtherPatientIDs OtherPatientIDsSequence "
     "OtherPatientNames ParticipantSequence PatientAddress PatientBirthName PatientBirthTime PatientComments "
     "PatientInstitutionResidence PatientInsurancePlanCodeSequence PatientMotherBirthName "
     "PatientPrimaryLanguageCodeSequence PatientPrimaryLanguageModifierCodeSequence PatientReligiousPreference "
     "PatientSetupPhotoDescription PatientTelecomInformation PatientTelephoneNumbers PatientTransportArrangements "
     "PatientTreatmentPreparationMethodDescription PatientTreatmentPreparationProcedureParameterDescription "
     "PerformedProcedureStepDescription PerformedProcedureStepID PerformedProcedureStepStartDate "
     "PerformedProcedureStepStartTime PerformingPhysicianIdentificationSequence PerformingPhysicianName "
     "PersonAddress PersonIdentificationCodeSequence PersonTelecomInformation PersonTelephoneNumbers "
     "PhysicianApprovingInterpretation PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence "
     "PhysiciansReadingStudyIdentificationSequence PrescriptionDescription PrescriptionNotes "
     "PrescriptionNotesSequence PriorTreatmentDoseDescription ProcedureStepCancellationDateTime ProtocolName "
     "PyramidDescription PyramidLabel ROIDescription ROIGenerationDescription ROIObservationDescription "
     "ROIObservationLabel RTAccessoryDeviceSlotID RTAccessoryHolderSlotID RTPhysicianIntentNarrative "
     "RTPlanDescription RTPlanName RTTreatmentApproachLabel RadiationGenerationModeDescription "
     "ReasonForOmissionDescription ReasonForRequestedProcedureCodeSequence ReasonForStudy ReasonForSuperseding "
     "ReasonForTheAttributeModification ReasonForTheImagingServiceRequest ReasonForTheRequestedProcedure "
     "ReasonForVisit ReasonForVisitCodeSequence ReferencedDigitalSignatureSequence ReferencedPatientAliasSequence "
     "ReferencedPatientPhotoSequence ReferencedPatientSequence ReferencedPerformedProcedureStepSequence "
     "ReferencedRequestSequence ReferencedSOPInstanceMACSequence ReferencedStudySequence ReferringPhysicianAddress "
     "ReferringPhysicianIdentificationSequence ReferringPhysicianTelephoneNumbers RegionOfResidence "
     "RequestAttributesSequence RequestedContrastAgent RequestedProcedureCodeSequence RequestedProcedureComments "
     "RequestedProcedureDescription RequestedProcedureID RequestedProcedureLocation RequestedSeriesDescription "
     "RequestingPhysician RequestingPhysicianIdentificationSequence RequestingService "
     "RespiratoryMotionCompensationTechniqueDescription ResponsibleOrganization ResponsiblePerson ResultsComments "
     "ResultsDistributionListSequence ResultsID ResultsIDIssuer ReviewerName RouteOfAdmissions "
     "ScheduledHumanPerformersSequence ScheduledPatientInstitutionResidence "
     "ScheduledPerformingPhysicianIdentificationSequence ScheduledPerformingPhysicianName "
     "ScheduledProcedureStepDescription ScheduledProcedureStepID ScheduledStepAttributesSequence "
     "ScheduledStudyLocation SeriesDescription SeriesDescriptionCodeSequence ServiceEpisodeDescription "
     "ServiceEpisodeID SetupTechniqueDescription ShieldingDeviceDescription SlideIdentifier "
     "SourceApplicationEntityTitle SourceIdentifier SourceOfPreviousValues SpecimenAccessionNumber "
     "SpecimenDetailedDescription SpecimenShortDescription StructureSetDescription StructureSetName StudyComments "
     "StudyDescription StudyIDIssuer TelephoneNumberTrial TextComments TextString TimezoneOffsetFromUTC "
     "TopicAuthor TopicKeywords TopicSubject TopicTitle TreatmentSite TreatmentSites TreatmentTechniqueNotes "
     "TreatmentToleranceViolationDescription VerbalSourceIdentifierCodeSequenceTrial VerbalSourceTrial "
     "VerifyingObserverIdentificationCodeSequence VerifyingOrganization VisitComments VisitStatusID"},
};

const std::map<std::string, std::pair<char, Option>, std::less<>>& profile() {
  static const auto all = [] {
    std::map<std::string, std::pair<char, Option>, std::less<>> out;
    for (const auto& group : table) {
      std::istringstream words(group.keywords);
      for (std::string word; words >> word;) out.try_emplace(word, group.action, group.kept_by);
    }
    return out;
  }();
  return all;
}

bool standard_uid(const std::string& uid) { return uid.starts_with("1.2.840.10008."); }

// "20200131" and "20200131120000.000000+0100" moved by days; empty when it is no date.
std::string shifted(const std::string& value, int days) {
  if (value.size() < 8 || value.find_first_not_of("0123456789") < 8) return {};
  using namespace std::chrono;
  const year_month_day d{year(std::stoi(value.substr(0, 4))),
                         month(static_cast<unsigned>(std::stoi(value.substr(4, 2)))),
                         day(static_cast<unsigned>(std::stoi(value.substr(6, 2))))};
  if (!d.ok()) return {};
  const year_month_day moved{sys_days(d) + std::chrono::days(days)};
  return fmt::format("{:04}{:02}{:02}{}", static_cast<int>(moved.year()), static_cast<unsigned>(moved.month()),
                     static_cast<unsigned>(moved.day()), value.substr(8));
}

class Cleaner {
 public:
  Cleaner(const AnonymizeOptions& options, Anonymized& out) : o_(options), out_(out), id_(out.data.text("PatientID")) {
    for (const auto& k : options.keep) kept_.insert(tag(k));
  }

  void clean(Item item) {
    const auto attributes = item.attributes();
    std::map<std::uint32_t, std::string> creators;  // private blocks of this item
    for (const auto& a : attributes)
      if (a.tag.is_private() && a.tag.element >= 0x10 && a.tag.element <= 0xff)
        creators[(static_cast<std::uint32_t>(a.tag.group) << 8) | a.tag.element] = item.text(a.tag);
    for (const auto& a : attributes) clean(item, a, creators);
  }

 private:
  void clean(Item& item, const Item::Attribute& a, const std::map<std::uint32_t, std::string>& creators) {
    if (kept_.count(a.tag)) return;
    if (a.tag.is_private()) {
      const auto block = a.tag.element <= 0xff ? a.tag.element : static_cast<std::uint16_t>(a.tag.element >> 8);
      const auto it = creators.find((static_cast<std::uint32_t>(a.tag.group) << 8) | block);
      const bool safe = it != creators.end() &&
                        std::find(o_.keep_private.begin(), o_.keep_private.end(), it->second) != o_.keep_private.end();
      if (!safe) remove(item, a.tag);
      return;
    }
    if ((a.tag.group & 0xff01) == 0x5000 ||
        ((a.tag.group & 0xff01) == 0x6000 && (a.tag.element == 0x3000 || a.tag.element == 0x4000)))
      return remove(item, a.tag);
    const auto name = name_of(a.tag);
    if (name == number_of(a.tag)) return remove(item, a.tag);  // newer than the dictionary: nobody knows what it says
    if (const auto it = profile().find(name); it != profile().end()) {
      const auto [action, option] = it->second;
      const bool date = a.vr == "DA" || a.vr == "TM" || a.vr == "DT";
      if ((option == Option::device && o_.keep_device) || (option == Option::institution && o_.keep_institution) ||
          (option == Option::characteristics && o_.keep_characteristics)) {
        if (a.sequence)
          for (auto& inner : item.items(a.tag)) clean(inner);
        return;
      }
      if (date && name != "PatientBirthDate" && name != "PatientBirthTime") return clean_date(item, a, action);
      if (action == 'X') return remove(item, a.tag);
      if (action == 'Z') return empty(item, a.tag);
      return replace(item, a, name);
    }
    if (a.sequence) {
      for (auto& inner : item.items(a.tag)) clean(inner);
      return;
    }
    if (a.vr == "UI") return clean_uid(item, a);
    if (a.vr == "PN" || a.vr == "LT" || a.vr == "ST" || a.vr == "UT" || a.vr == "UC" || a.vr == "UR" || a.vr == "UN" ||
        a.vr == "AE")
      return remove(item, a.tag);
    if (a.vr == "DA" || a.vr == "DT") return clean_date(item, a, 'X');
    if (a.vr == "TM" && !o_.keep_dates && !o_.shift_days) return remove(item, a.tag);
  }

  void clean_date(Item& item, const Item::Attribute& a, char action) {
    if (o_.keep_dates) return;
    const auto value = item.text(a.tag);
    if (o_.shift_days && a.vr == "TM") return;
    if (const auto moved = o_.shift_days ? shifted(value, o_.shift_days) : std::string(); !moved.empty()) {
      item.set(a.tag, moved);
      ++out_.replaced;
      return;
    }
    if (action == 'X')
      remove(item, a.tag);
    else
      empty(item, a.tag);
  }

  void clean_uid(Item& item, const Item::Attribute& a) {
    if (o_.keep_uids) return;
    const auto value = item.text(a.tag);
    if (value.empty() || standard_uid(value)) return;
    std::string all;
    std::istringstream parts(value);
    for (std::string part; std::getline(parts, part, '\\');)
      all += (all.empty() ? "" : "\\") + (standard_uid(part) ? part : uid_from(o_.key + "\n" + part));
    item.set(a.tag, all);
    ++out_.replaced;
  }

  void replace(Item& item, const Item::Attribute& a, const std::string& name) {
    std::string value = "ANONYMOUS";
    if (name == "PatientID") value = o_.patient_id.empty() ? pseudonym() : o_.patient_id;
    if (name == "PatientName")
      value = !o_.patient_name.empty() ? o_.patient_name : o_.patient_id.empty() ? pseudonym() : o_.patient_id;
    if (item.text(a.tag).empty() && name != "PatientName" && name != "PatientID") return;
    item.set(a.tag, value);
    ++out_.replaced;
  }
  // From the identifier of the object, wherever a name stands in it.
  std::string pseudonym() const {
    const std::string text = o_.key + "\npatient\n" + id_;
    return "ANON-" + Sha256().add(text.data(), text.size()).hex().substr(0, 10);
  }

  void remove(Item& item, Tag t) {
    item.erase(t);
    ++out_.removed;
  }
  void empty(Item& item, Tag t) {
    item.clear(t);
    ++out_.emptied;
  }

  const AnonymizeOptions& o_;
  Anonymized& out_;
  std::set<Tag> kept_;
  std::string id_;
};

void note_method(Dataset& d, const AnonymizeOptions& o) {
  struct Done {
    bool yes;
    const char *code, *meaning;
  };
  const Done all[] = {
      {true, "113100", "Basic Application Confidentiality Profile"},
      {o.keep_dates, "113106", "Retain Longitudinal Temporal Information Full Dates Option"},
      {!o.keep_dates && o.shift_days != 0, "113107", "Retain Longitudinal Temporal Information Modified Dates Option"},
      {o.keep_characteristics, "113108", "Retain Patient Characteristics Option"},
      {o.keep_device, "113109", "Retain Device Identity Option"},
      {o.keep_uids, "113110", "Retain UIDs Option"},
      {!o.keep_private.empty(), "113111", "Retain Safe Private Option"},
      {o.keep_institution, "113112", "Retain Institution Identity Option"}};
  d.set("PatientIdentityRemoved", "YES");
  d.set("DeidentificationMethod",
        o.keep.empty() ? "larmor: PS3.15 Basic Profile" : "larmor: PS3.15 Basic Profile, some attributes kept");
  d.erase("DeidentificationMethodCodeSequence");
  for (const auto& done : all)
    if (done.yes)
      d.add("DeidentificationMethodCodeSequence")
          .set("CodeValue", done.code)
          .set("CodingSchemeDesignator", "DCM")
          .set("CodeMeaning", done.meaning);
  d.set("LongitudinalTemporalInformationModified", o.keep_dates ? "UNMODIFIED" : o.shift_days ? "MODIFIED" : "REMOVED");
}

}  // namespace

std::vector<std::string> profile_keywords() {
  std::vector<std::string> out;
  for (const auto& [name, action] : profile()) out.push_back(name);
  return out;
}

std::string profile_action(std::string_view keyword) {
  if (const auto it = profile().find(keyword); it != profile().end()) return std::string(1, it->second.first);
  return "K";
}

Anonymized anonymize(const Dataset& data, const AnonymizeOptions& o) {
  if (o.key.empty())
    throw Error(Errc::usage, "no key for the new identifiers", "give one, or let one be made at random");
  const auto modality = data.text("Modality"), class_uid = data.text("SOPClassUID");
  if (data.is_there("EncapsulatedDocument"))
    throw Error(Errc::format, "an encapsulated document cannot be de-identified", "leave it out");
  if (modality == "SR" || modality == "KO" || modality == "PR" || data.is_there("ContentSequence"))
    throw Error(
        Errc::format,
        fmt::format("the content of a {} object cannot be de-identified", modality.empty() ? "structured" : modality),
        "leave it out");
  Anonymized out{data.clone(), {}, 0, 0, 0};
  const bool secondary = class_uid.starts_with("1.2.840.10008.5.1.4.1.1.7"),
             burned = data.text("BurnedInAnnotation") == "YES";
  if (burned)
    out.warnings.emplace_back("BurnedInAnnotation is YES: names may be in the pixels, which are not changed");
  else if ((secondary || modality == "US" || modality == "XA" || modality == "RF" || modality == "ES") &&
           data.text("BurnedInAnnotation") != "NO")
    out.warnings.push_back(fmt::format("{} objects often have names in the pixels, which are not changed: look at them",
                                       secondary ? "Secondary Capture" : modality));
  if (data.is_there("PatientIdentityRemoved") && data.text("PatientIdentityRemoved") == "YES")
    out.warnings.emplace_back("it says that it was de-identified before");
  // Type 2 attributes that were absent are not added.
  Cleaner(o, out).clean(out.data);
  note_method(out.data, o);
  return out;
}

}  // namespace larmor::dicom
